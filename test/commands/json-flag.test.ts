import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { addAgent } from '../../src/commands/agent.js';
import { addChannel } from '../../src/commands/channel.js';
import { addChannels } from '../../src/commands/channels.js';
import { addConfig } from '../../src/commands/config.js';
import { addDrain } from '../../src/commands/drain.js';
import { addFleet } from '../../src/commands/fleet.js';
import { addRegister } from '../../src/commands/register.js';
import { addZooKeeper } from '../../src/commands/zookeeper.js';

const program = new Command();
for (const add of [addAgent, addChannel, addChannels, addConfig, addDrain, addFleet, addRegister, addZooKeeper])
  add(program);

/** Commands that run something: those with others below them do not. */
const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);

test('every command with a result can print it as JSON, and says in the same words what', () => {
  const all = leaves(program);
  assert.ok(all.length >= 10);
  for (const command of all) {
    const flag = command.options.find(({ long }) => long === '--json');
    assert.match(flag?.description ?? 'none', /^print one JSON object.*, for programs$/, command.name());
  }
});
