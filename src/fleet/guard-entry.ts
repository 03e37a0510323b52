// The guard's process, between `weir lock` or `weir elect` and the program that it runs. It is in a process group of its own, so
// that what stops weir does not stop it, and stops the program when weir is silent for too long, or gone.

import { spawn } from 'node:child_process';
import { Guard, type GuardOptions } from './guard.js';
import { type GuardReply, type GuardRequest, machineNow, passedSignals } from './guard-messages.js';

const tell = (reply: GuardReply) => {
  if (process.connected) process.send?.(reply, undefined, undefined, () => {});
};

const start: GuardOptions['start'] = ({ command, parameters, variables }, { started, failed, ended }) => {
  const child = spawn(command, parameters, {
    stdio: 'inherit',
    detached: true,
    env: { ...process.env, ...variables },
  });
  child.once('error', (error: NodeJS.ErrnoException) => failed(error.message, error.code));
  child.once('exit', ended);
  if (child.pid !== undefined) started(child.pid);
  return {
    signal(name) {
      if (child.pid === undefined) return false;
      try {
        return process.kill(-child.pid, name);
      } catch {
        return false;
      }
    },
  };
};

const guard = new Guard({ start, tell, now: machineNow });
/** Only weir ends it, and weir's end. */
for (const signal of passedSignals) process.on(signal, () => {});
process.on('message', (request) => guard.receive(request as GuardRequest));
process.on('disconnect', () => {
  guard.orphan();
  const poll = setInterval(() => {
    if (!guard.isBusy) process.exit(0);
  }, 20);
  if (!guard.isBusy) {
    clearInterval(poll);
    process.exit(0);
  }
});
