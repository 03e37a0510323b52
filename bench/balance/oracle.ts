// Bounds that nothing real can reach.

import type { PolicyModule } from './contract.js';

/** Knows every server's true utilisation and loss at this moment. */
export const oracle: PolicyModule = ({ truth }) => ({
  pick: (views) => {
    let best = 0;
    let lowest = Number.POSITIVE_INFINITY;
    for (const [i, view] of views.entries()) {
      const { load, loss } = truth?.(view.server) ?? { load: 0, loss: 0 };
      if (load + 10 * loss >= lowest) continue;
      lowest = load + 10 * loss;
      best = i;
    }
    return best;
  },
});
