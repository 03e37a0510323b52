import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { addAgentFlags } from '../../src/commands/agent-flags.js';
import { addChannel } from '../../src/commands/channel.js';
import { addRegister } from '../../src/commands/register.js';
import { addOwnTraitFlags, addTraitFlags, flaggedTraits } from '../../src/commands/trait-flags.js';

const program = new Command();
addRegister(program);
addChannel(program);
const found = (parent: Command, name: string): Command => {
  const command = parent.commands.find((each) => each.name() === name);
  assert.ok(command, name);
  return command;
};
const flagsOf = (command: Command) => command.options.map(({ long }) => long);

test('every command that writes registrations has the flags of all traits', () => {
  const traits = flagsOf(addOwnTraitFlags(new Command()));
  assert.deepEqual(traits, ['--weight', '--zone', '--priority']);
  const writers = [
    found(program, 'register'),
    found(found(program, 'channel'), 'put'),
    addAgentFlags(new Command('agent')),
  ];
  for (const writer of writers) {
    assert.deepEqual(
      traits.filter((flag) => !flagsOf(writer).includes(flag)),
      [],
      writer.name(),
    );
  }
});

test('a flag takes what its trait may be, and nothing else', () => {
  const read = (...args: string[]) => {
    const command = addTraitFlags(new Command().exitOverride().configureOutput({ writeErr: () => {} }));
    return flaggedTraits(command.parse(args, { from: 'user' }).opts());
  };
  assert.deepEqual(read('--weight', '0.5', '--zone', 'north', '--priority', '2', '--path', '/a', '--status', 'off'), {
    status: 'off',
    weight: 0.5,
    zone: 'north',
    priority: 2,
    path: '/a',
  });
  assert.deepEqual(read(), {});
  const wrong = [
    ['--weight', '-1'],
    ['--weight', '10001'],
    ['--weight', ''],
    ['--priority', '1.5'],
    ['--zone', ''],
    ['--zone', 'a\u001bb'],
    ['--path', 'a'],
    ['--status', 'up'],
  ];
  for (const args of wrong) assert.throws(() => read(...args), { name: 'CommanderError' }, args.join(' '));
});
