// What a command of `weir lock` and the guard of its program say to each other.

/** Signals that are passed on to a program. */
export const passedSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT'] as const;
export type PassedSignal = (typeof passedSignals)[number];

/** How long a program may go on. Milliseconds of `machineNow`. */
export interface Leave {
  /** It is asked to end then. */
  readonly until: number;
  /** It is killed then. */
  readonly killAt: number;
}

export type GuardRequest =
  | {
      readonly kind: 'run';
      readonly command: string;
      readonly parameters: readonly string[];
      readonly variables: Readonly<Record<string, string>>;
      readonly leave: Leave;
    }
  | { readonly kind: 'extend'; readonly leave: Leave }
  | { readonly kind: 'signal'; readonly signal: PassedSignal }
  /** Now, and not to go on whatever comes. */
  | { readonly kind: 'stop'; readonly killAt: number };

export type GuardReply =
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined }
  /** Nothing of its process group is left, where it was stopped. */
  | { readonly kind: 'ended'; readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** Monotonic milliseconds that all processes of a machine share; they go on while a process stands still. */
export const machineNow = () => Number(process.hrtime.bigint() / 1_000_000n);
