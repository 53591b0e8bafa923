import type { parse } from '@bufbuild/cel';
import { stringProblem } from '../json.js';
import { cel } from './cel.js';
import { COLLECT, COLLECTED, RANGE, environment } from './filter.functions.js';
import { patternOf } from './filter.pattern.js';
import { TAKES_ZONE, checkZone } from './filter.time.js';
import { VARIABLES } from './filter.variables.js';

const LONGEST = 1_000;
/** The parser takes the cube of the depth: 2 ms for this one, a second for 400. */
const DEEPEST = 32;
/** Texts, raw ones first, and comments: brackets in them are none. */
const QUOTED =
  /[rR]"{3}[^]*?"{3}|[rR]'{3}[^]*?'{3}|[rR]"[^"\r\n]*"|[rR]'[^'\r\n]*'|"{3}(?:\\[^]|[^\\])*?"{3}|'{3}(?:\\[^]|[^\\])*?'{3}|"(?:\\.|[^"\\\r\n])*"|'(?:\\.|[^'\\\r\n])*'|\/\/[^\r\n]*/g;

/** A parsed expression. */
export type Expression = ReturnType<typeof parse>['expr'];
type Call = Extract<Expression['exprKind'], { case: 'callExpr' }>['value'];
type Macro = Extract<Expression['exprKind'], { case: 'comprehensionExpr' }>['value'];

const TYPES: ReadonlySet<string> = new Set([
  ...['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type'],
  ...['google.protobuf.Timestamp', 'google.protobuf.Duration'],
]);

/** What is no function of the library, as it is not strict or its evaluation is in the plan. */
const OPERATORS: ReadonlySet<string> = new Set([
  ...['_&&_', '_||_', '_?_:_', '_[_]', '@not_strictly_false'],
]);

/** Where a part of an expression stands. */
interface Place {
  /** What the macro around it calls its items, and its result. */
  readonly names: ReadonlySet<string>;
  readonly isInMacro: boolean;
}

const OUTSIDE: Place = { names: new Set(), isInMacro: false };

/**
 * An expression as it can be run: it is CEL, names only what there is, and its macros count what they do.
 *
 * @throws Error whose message is one sentence that begins with a verb
 */
export function readExpression(text: unknown): Expression {
  if (typeof text !== 'string' || text.trim() === '' || text.length > LONGEST) {
    throw new Error(`must be a CEL expression of at most ${LONGEST} characters`);
  }
  const problem = stringProblem(text);
  if (problem !== undefined) throw new Error(problem);
  if (depthOf(text) > DEEPEST) throw new Error(`nests brackets more than ${DEEPEST} deep`);
  const expression = parsed(text);
  read(expression, OUTSIDE);
  return expression;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text.replaceAll(QUOTED, '')) {
    if ('([{'.includes(character)) deepest = Math.max(deepest, (depth += 1));
    else if (')]}'.includes(character)) depth -= 1;
  }
  return deepest;
}

function parsed(text: string): Expression {
  try {
    return cel().parse(text).expr;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    // The library's own says everything that could have stood there.
    const at = (error as { location?: { start: { offset: number } } }).location?.start.offset;
    const found = at === undefined ? '' : text.slice(at, at + 20);
    throw new Error(
      at === undefined
        ? `is not CEL: ${error instanceof Error ? error.message.slice(0, 100) : String(error)}`
        : `is not CEL: it cannot be read from character ${at + 1} on, ${found === '' ? 'where it ends' : `'${found}'`}`,
    );
  }
}

/** Checks a part, makes its macros ready, and tells how many parts it has. */
function read(expression: Expression | undefined, place: Place): number {
  const kind = expression?.exprKind;
  switch (kind?.case) {
    case 'constExpr':
      return 1;
    case 'identExpr':
      return named(kind.value.name, place);
    case 'selectExpr':
      if (TYPES.has(dotted(expression) ?? '')) return 1;
      return 1 + read(kind.value.operand, place);
    case 'callExpr':
      return called(kind.value, place);
    case 'listExpr':
      return 1 + sum(kind.value.elements, (element) => read(element, place));
    case 'structExpr':
      if (kind.value.messageName !== '') {
        throw new Error(
          `makes a '${kind.value.messageName}', and a filter makes no messages of protobuf`,
        );
      }
      return (
        1 +
        sum(kind.value.entries, ({ keyKind, value }) => {
          const key = keyKind.case === 'mapKey' ? read(keyKind.value, place) : 1;
          return key + read(value, place);
        })
      );
    case 'comprehensionExpr':
      return repeated(kind.value, place);
    default:
      throw new Error('is not CEL: a part of it says nothing');
  }
}

function named(name: string, { names }: Place): number {
  if (names.has(name) || VARIABLES.has(name) || TYPES.has(name)) return 1;
  throw new Error(
    `names '${name.slice(0, 64)}', which is none of ${[...VARIABLES].join(', ')} and no type`,
  );
}

function called({ function: name, target, args }: Call, place: Place): number {
  if (!OPERATORS.has(name) && !environment().funcs.find(name)) {
    throw new Error(`calls '${name.slice(0, 64)}', which is not a function of filters`);
  }
  const constant = textOf(args[0]);
  if (target && constant !== undefined) {
    if (name === 'matches') patternOf(constant);
    if (TAKES_ZONE.has(name)) checkZone(constant);
  }
  return 1 + (target ? read(target, place) : 0) + sum(args, (arg) => read(arg, place));
}

/**
 * A macro. What it goes through is charged for, and what it collects is collected in one list: see {@link environment}.
 */
function repeated(macro: Macro, place: Place): number {
  if (place.isInMacro) throw new Error('has a macro (all, exists, map, filter) within a macro');
  const { iterRange, accuInit, loopStep, loopCondition, result } = macro;
  const range = read(iterRange, place);
  const inside: Place = {
    names: new Set([...place.names, macro.iterVar, macro.accuVar]),
    isInMacro: true,
  };
  const each = read(loopStep, inside) + read(loopCondition, inside);
  read(result, inside);
  if (accuInit?.exprKind.case === 'listExpr') {
    macro.accuInit = callOf(COLLECTED, accuInit.id, []);
    collecting(loopStep, macro.accuVar);
  }
  const cost: Expression = {
    $typeName: 'cel.expr.Expr',
    id: 0n,
    exprKind: {
      case: 'constExpr',
      value: {
        $typeName: 'cel.expr.Constant',
        constantKind: { case: 'int64Value', value: BigInt(each) },
      },
    },
  };
  macro.iterRange = callOf(RANGE, 0n, [iterRange as Expression, cost]);
  return 1 + range + each;
}

/** `result + [item]`, maybe behind a condition, is made to add the item to the list that there is. */
function collecting(step: Expression | undefined, result: string): void {
  if (step?.exprKind.case !== 'callExpr') return;
  const call = step.exprKind.value;
  const [first] = call.args;
  if (call.function === '_?_:_') collecting(call.args[1], result);
  else if (first?.exprKind.case === 'identExpr' && first.exprKind.value.name === result) {
    call.function = COLLECT;
  }
}

function callOf(name: string, id: bigint, args: Expression[]): Expression {
  return {
    $typeName: 'cel.expr.Expr',
    id,
    exprKind: {
      case: 'callExpr',
      value: { $typeName: 'cel.expr.Expr.Call', function: name, args },
    },
  };
}

function textOf(expression: Expression | undefined): string | undefined {
  const kind = expression?.exprKind;
  if (kind?.case !== 'constExpr' || kind.value.constantKind.case !== 'stringValue')
    return undefined;
  return kind.value.constantKind.value;
}

/** `google.protobuf.Timestamp` as it is written. */
function dotted(expression: Expression | undefined): string | undefined {
  const kind = expression?.exprKind;
  if (kind?.case === 'identExpr') return kind.value.name;
  if (kind?.case !== 'selectExpr') return undefined;
  const parent = dotted(kind.value.operand);
  return parent && `${parent}.${kind.value.field}`;
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
