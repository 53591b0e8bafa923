import type { CelEnv, CelFunc, CelList, CelValue } from '@bufbuild/cel';
import { charge } from './budget.js';
import { cel } from './cel.js';
import { patternOf } from './filter.pattern.js';
import { timeFunctions } from './filter.time.js';

/** Names of functions of ours that stand in an expression as it is run. Nobody can write them: `@` is no letter of CEL. */
export const RANGE = '@range';
export const COLLECTED = '@collected';
export const COLLECT = '@collect';

/** Characters, bytes or items in a step. */
const IN_A_STEP = 16;

/** Takes the steps of a call. The target of a method comes first. */
type Cost = (values: readonly (CelValue | undefined)[]) => void;

/** What takes time with the size of what it is given. All else takes one moment, and an expression has few calls. */
const COSTS: Readonly<Record<string, Cost>> = {
  '_==_': ([first]) => chargeWhole(first),
  '_!=_': ([first]) => chargeWhole(first),
  '@in': ([, list]) => chargeWhole(list),
  '_+_': (values) => values.forEach(chargeSize),
  '_<_': (values) => values.forEach(chargeSize),
  '_<=_': (values) => values.forEach(chargeSize),
  '_>_': (values) => values.forEach(chargeSize),
  '_>=_': (values) => values.forEach(chargeSize),
  size: (values) => values.forEach(chargeSize),
  string: (values) => values.forEach(chargeSize),
  bytes: (values) => values.forEach(chargeSize),
  // The worst case of a search is each place of the text with each of what is looked for.
  contains: ([text, part]) =>
    charge((1 + lengthOf(text) / IN_A_STEP) * (1 + lengthOf(part) / (IN_A_STEP / 2))),
  startsWith: ([, part]) => chargeSize(part),
  endsWith: ([, part]) => chargeSize(part),
  // Reading a number of many digits takes more than the time of its length.
  int: ([value]) => charge(lengthOf(value)),
  uint: ([value]) => charge(lengthOf(value)),
  double: ([value]) => charge(lengthOf(value)),
  bool: ([value]) => charge(lengthOf(value)),
  timestamp: ([value]) => charge(lengthOf(value)),
  duration: ([value]) => charge(lengthOf(value)),
};

function lengthOf(value: CelValue | undefined): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
}

function chargeSize(value: CelValue | undefined): void {
  if (typeof value === 'string' || value instanceof Uint8Array) charge(value.length / IN_A_STEP);
  else if (cel().isCelList(value)) charge(value.size / IN_A_STEP);
}

/** A step for each value in it. What is in it several times is counted so often: it would be compared so often. */
function chargeWhole(value: CelValue | undefined): void {
  charge(1);
  if (typeof value !== 'object') return chargeSize(value);
  if (cel().isCelList(value)) for (const item of value) chargeWhole(item);
  else if (cel().isCelMap(value)) for (const item of value.values()) chargeWhole(item);
  else chargeSize(value);
}

/** The same function, which takes its steps first. */
function metered(func: CelFunc, cost: Cost): CelFunc {
  const { name, target, arguments: parameters, result } = func;
  const call = (on: CelValue | undefined, args: CelValue[]) => {
    cost(target ? [on, ...args] : args);
    const value = func.call(0, on, args);
    if (cel().isCelError(value)) throw value;
    return value as never;
  };
  const { celFunc, celMethod } = cel();
  return target
    ? celMethod(name, target, parameters, result, function (...args: unknown[]) {
        return call(this as CelValue, args as CelValue[]);
      })
    : celFunc(name, parameters, result, (...args: unknown[]) =>
        call(undefined, args as CelValue[]),
      );
}

const HEAVY: ReadonlySet<string> = new Set(['string', 'bytes', 'list', 'dyn']);

function isHeavy({ target, arguments: parameters }: CelFunc): boolean {
  return [target, ...parameters].some((type) => type && HEAVY.has(type.name));
}

/** The library's, where `matches` compiles its pattern at every call, and nothing is counted. */
function meteredFunctions(): readonly CelFunc[] {
  return [...cel().celEnv().funcs].flatMap((func) => {
    const cost = COSTS[func.name];
    const isMapLookup = func.arguments[1]?.name === 'map';
    return cost && isHeavy(func) && !isMapLookup ? [metered(func, cost)] : [];
  });
}

/** The numbers of JSON are doubles; without these `data.amount * 2` would need to be `data.amount * 2.0`. */
function mixedFunctions(): readonly CelFunc[] {
  const { celFunc, CelScalar } = cel();
  const { DOUBLE, INT } = CelScalar;
  return Object.entries({
    '_+_': (left: number, right: number) => left + right,
    '_-_': (left: number, right: number) => left - right,
    '_*_': (left: number, right: number) => left * right,
    '_/_': (left: number, right: number) => left / right,
    '_%_': (left: number, right: number) => left % right,
  }).flatMap(([name, apply]) => [
    celFunc(name, [DOUBLE, INT], DOUBLE, (left, right) => apply(left, Number(right))),
    celFunc(name, [INT, DOUBLE], DOUBLE, (left, right) => apply(Number(left), right)),
    ...(name === '_%_' ? [celFunc(name, [DOUBLE, DOUBLE], DOUBLE, apply)] : []),
  ]);
}

/** The lists that are being collected. */
const collected = new WeakMap<CelList, CelValue[]>();

/** What macros are made of, beside the library's own. */
function macroFunctions(): readonly CelFunc[] {
  const { celFunc, celList, listType, CelScalar } = cel();
  const { DYN, INT } = CelScalar;
  const LIST = listType(DYN);
  return [
    // What a macro goes through, and how much there is to do for each item.
    celFunc(RANGE, [DYN, INT], DYN, (range, each) => {
      const size = cel().isCelList(range) || cel().isCelMap(range) ? range.size : 0;
      charge(size * Number(each));
      return range;
    }),
    // `map` and `filter` put lists together with `+`: one in the other, as deep as they are long.
    celFunc(COLLECTED, [], LIST, () => {
      const items: CelValue[] = [];
      const list = celList(items);
      collected.set(list, items);
      return list;
    }),
    celFunc(COLLECT, [LIST, LIST], LIST, (list, added) => {
      collected.get(list)?.push(...added);
      return list;
    }),
  ];
}

let made: CelEnv | undefined;

/** Functions of filters. `strings` and the other extensions are not among them. */
export function environment(): CelEnv {
  return (made ??= cel().celEnv({
    funcs: [...meteredFunctions(), ...mixedFunctions(), ...timeFunctions(), ...macroFunctions()],
    re2: { compile: patternOf },
  }));
}
