// Whose a connection on loopback is, as the kernel's table says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inodeOf } from '../../../src/registry/tls/own-connection.js';

const row = (local: string, remote: string, inode: number) =>
  `   0: ${local} ${remote} 01 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000 20 4 30 10 -1`;
const table = [
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
  row('0100007F:1F90', '00000000:0000', 1),
  row('0100007F:1F90', '0100007F:C350', 2),
  row('0200007F:C350', '0100007F:1F90', 3),
  row('0100007F:C350', '0100007F:1F90', 4),
].join('\n');

test("the client's end of a connection is found by both ports, and not the listener's or that of another address", () => {
  assert.equal(inodeOf(table, 0xc350, 0x1f90), '4');
  assert.equal(inodeOf(table, 0x1f90, 0xc350), '2');
  assert.equal(inodeOf(table, 0xc351, 0x1f90), undefined);
  assert.equal(inodeOf('', 0xc350, 0x1f90), undefined);
});
