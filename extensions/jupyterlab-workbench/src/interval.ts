/** Where values and their intervals lie on one axis. */

import { INumber } from './types';

export interface IMark {
  at: number;
  low: number | null;
  high: number | null;
}

/** Positions from 0 to 1 on an axis that holds all values and intervals; null where a run has no value. */
export function marks(values: readonly (INumber | null)[]): (IMark | null)[] {
  const ends = values.flatMap(found =>
    found ? [found.value, found.low, found.high].filter(isNumber) : []
  );
  const first = Math.min(...ends);
  const width = Math.max(...ends) - first;
  const place = (x: number) => (width > 0 ? (x - first) / width : 0.5);
  return values.map(found =>
    found && isNumber(found.value)
      ? {
          at: place(found.value),
          low: isNumber(found.low) ? place(found.low) : null,
          high: isNumber(found.high) ? place(found.high) : null
        }
      : null
  );
}

function isNumber(value: number | null): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
