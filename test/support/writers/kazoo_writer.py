"""Writes nodes with kazoo, and keeps its session until standard input ends.

Arguments: the servers. Standard input: one line of JSON, a list of {"path", "data", "ephemeral"}; then anything, until it ends.
Prints "written" when all are there.
"""

import json
import sys

from kazoo.client import KazooClient

client = KazooClient(hosts=sys.argv[1], timeout=30)
client.start(timeout=30)
pending = []
for node in json.loads(sys.stdin.readline()):
    data = node["data"].encode("utf-8")
    pending.append(client.create_async(node["path"], data, ephemeral=node["ephemeral"], makepath=True))
for each in pending:
    each.get(timeout=30)
print("written", flush=True)
sys.stdin.read()
client.stop()
