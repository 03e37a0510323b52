// docs/agent.md names what there is: every kind of server with its defaults, and flags that exist.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { kindNames, kinds } from '../../src/agent/kinds.js';
import { addAgentFlags } from '../../src/commands/agent-flags.js';
import { packageRoot } from '../../src/package.js';

const page = readFileSync(join(packageRoot, 'docs/agent.md'), 'utf8');
const help = addAgentFlags(new Command('agent')).helpInformation();

for (const kind of kindNames) {
  test(`the page has the command, the API and the address of ${kind}`, () => {
    const row = page.split('\n').find((line) => line.startsWith('| ') && line.includes(`\`weir agent ${kind}`)) ?? '';
    assert.ok(row.includes(`\`${kinds[kind].api}\``), row);
    assert.ok(row.includes(`\`${kinds[kind].address}\``), row);
  });
}

test('the flags that the page names exist', () => {
  const flags = new Set(page.match(/(?<=[\s`])--[a-z][a-z-]+/g));
  assert.ok(flags.size > 10);
  for (const flag of flags) assert.match(help, new RegExp(`${flag}\\b`));
});
