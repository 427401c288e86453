/** A run form without its looks: what is typed, what it means, and whether it may be sent. */

import { IFieldError, IParameter, Plain, Scale, Values } from './types';
import { ITrans } from './words';

/** What the fields hold: text as typed, or a tick. */
export type Typed = { [name: string]: string | boolean };

export function typed(value: Plain): string | boolean {
  if (typeof value === 'boolean') {
    return value;
  }
  return value === null ? '' : String(value);
}

/**
 * What a form starts with.
 *
 * @param remembered values of the last time; what no longer exists or no longer fits a choice is dropped.
 * @param device that the settings name, taken where nothing is remembered and the study offers it.
 */
export function start(
  parameters: readonly IParameter[],
  remembered: Values,
  scale: Scale,
  device = ''
): Typed {
  const found: Typed = {};
  const settings: Values = Object.keys(remembered).length ? { scale } : { scale, device };
  for (const p of parameters) {
    const set = settings[p.name];
    const first = p.choices.includes(set) ? set : p.default;
    const last = Object.prototype.hasOwnProperty.call(remembered, p.name)
      ? remembered[p.name]
      : first;
    const fits =
      !p.choices.length || p.choices.includes(last) || (last === null && p.optional);
    const value = fits && kindFits(p, last) ? last : first;
    found[p.name] = isTick(p) ? value === true : typed(value);
  }
  return found;
}

function kindFits(p: IParameter, value: Plain): boolean {
  if (value === null) {
    return p.optional;
  }
  const kind = { int: 'number', float: 'number', str: 'string', bool: 'boolean' };
  return typeof value === kind[p.kind];
}

/** A yes or no that cannot be left open is a tick; one that can is a choice. */
export function isTick(p: IParameter): boolean {
  return p.kind === 'bool' && !p.optional && !p.choices.length;
}

/** What null means at a scale, in words; empty where it means nothing special. */
export function whenEmpty(p: IParameter, scale: string, trans: ITrans): string {
  if (!p.optional) {
    return '';
  }
  const by = p.by_scale ? p.by_scale[scale as Scale] : null;
  return by === null || by === undefined
    ? trans.__('left open')
    : trans.__('%1, by scale', String(by));
}

/** The value of one field, or what is wrong with it. */
export function value(
  p: IParameter,
  entered: string | boolean,
  trans: ITrans
): { value: Plain } | { error: IFieldError } {
  if (typeof entered === 'boolean') {
    return { value: entered };
  }
  if (p.choices.length) {
    const chosen = p.choices.find(choice => typed(choice) === entered);
    return chosen === undefined
      ? empty(p, entered) ?? wrong(p, entered, trans)
      : { value: chosen };
  }
  const open = empty(p, entered);
  if (open) {
    return open;
  }
  switch (p.kind) {
    case 'bool':
      return entered === 'true' || entered === 'false'
        ? { value: entered === 'true' }
        : wrong(p, entered, trans);
    case 'str':
      return { value: entered };
    default:
      return number(p, entered.trim(), trans);
  }
}

function empty(p: IParameter, entered: string): { value: null } | null {
  return p.optional && entered.trim() === '' ? { value: null } : null;
}

const WHOLE = /^[+-]?\d{1,15}$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function number(
  p: IParameter,
  text: string,
  trans: ITrans
): { value: Plain } | { error: IFieldError } {
  const found = Number(text);
  const shape = p.kind === 'int' ? WHOLE : DECIMAL;
  const inside =
    (p.low === null || found >= p.low) && (p.high === null || found <= p.high);
  return shape.test(text) && Number.isFinite(found) && inside
    ? { value: found }
    : wrong(p, text, trans);
}

function wrong(p: IParameter, given: string, trans: ITrans): { error: IFieldError } {
  const what =
    given.trim() === ''
      ? trans.__('%1 needs a value', p.name)
      : trans.__('%1 does not fit', p.name);
  return { error: { what, given, expected: p.allowed } };
}

export interface IReading {
  values: Values;
  errors: { [name: string]: IFieldError };
}

/** All fields. Values hold only what differs from the defaults, and the scale: the command stays short. */
export function read(
  parameters: readonly IParameter[],
  entered: Typed,
  trans: ITrans
): IReading {
  const values: Values = {};
  const errors: { [name: string]: IFieldError } = {};
  for (const p of parameters) {
    const found = value(p, entered[p.name] ?? '', trans);
    if ('error' in found) {
      errors[p.name] = found.error;
    } else if (p.name === 'scale' || found.value !== p.default) {
      values[p.name] = found.value;
    }
  }
  return { values, errors };
}

/** An error of a field in one line. */
export function line(error: IFieldError, trans: ITrans): string {
  const expected = error.expected
    ? trans.__('expected: %1', error.expected)
    : '';
  return [error.what, expected].filter(Boolean).join('; ');
}

/** The fields in the order of the form: what the study asks, then where and how it runs. */
export function parts(parameters: readonly IParameter[]): {
  scale: IParameter | undefined;
  own: IParameter[];
  setting: IParameter[];
} {
  const others = parameters.filter(p => p.name !== 'scale');
  return {
    scale: parameters.find(p => p.name === 'scale'),
    own: others.filter(p => !p.common && !p.runtime),
    setting: others.filter(p => p.common || p.runtime)
  };
}
