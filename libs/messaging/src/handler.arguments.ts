import { ValidationPipe, type Paramtype, type PipeTransform } from '@nestjs/common';
import type { ExternalContextCreator } from '@nestjs/core';
import { RpcParamtype } from '@nestjs/microservices/enums/rpc-paramtype.enum.js';
import type { TurnContext } from './turn.context.js';

type PipesFunction = NonNullable<ReturnType<ExternalContextCreator['createPipesFn']>>;
type Parameter = Parameters<ExternalContextCreator['createPipesFn']>[1][number];

/** Where decorated parameters get their values: `@Payload()`, `@Payload('field')`, `@Ctx()`. */
export const parameterValues = {
  exchangeKeyForValue(type: number, field: unknown, [message, context]: unknown[]): unknown {
    if (type === RpcParamtype.CONTEXT) return context;
    if (type !== RpcParamtype.PAYLOAD) return undefined;
    return typeof field === 'string' ? (message as Record<string, unknown>)?.[field] : message;
  },
};

/**
 * Makes the arguments of a handler: message and turn, except where a parameter decorator says otherwise.
 *
 * The message goes through the pipes as type `body`: the built-in ones pass over any other. The turn, and `@Ctx()`, see only
 * pipes of their own parameter: a pipe that copies what it gets would cut the turn off from its commit.
 *
 * @param pipes global ones, the class's and the method's
 * @param declared the decorated parameters
 * @param type class of the first parameter
 */
export function handlerArguments(
  creator: Pick<ExternalContextCreator, 'getParamValue'>,
  pipes: readonly PipeTransform[],
  declared: readonly Parameter[],
  type: unknown,
): PipesFunction {
  const isDeclared = (index: number): boolean => declared.some((each) => each.index === index);
  const parameters = isDeclared(0) ? declared : [...declared, messageParameter(type)];
  const hasTurn = !isDeclared(1);
  const steps = parameters.map((parameter) => ({
    parameter,
    pipes: pipesFor(parameter, pipes),
  }));
  return async (args, ...given) => {
    const [, context] = given as [unknown, TurnContext];
    await Promise.all(
      steps.map(async ({ parameter, pipes }) => {
        const { index, extractValue, type, data, metatype, schema } = parameter;
        const value = extractValue(...given);
        const metadata = { type: type as unknown as Paramtype, metatype, data, schema };
        args[index] = await creator.getParamValue(value, metadata as never, [...pipes]);
      }),
    );
    if (hasTurn) args[1] = context.given;
  };
}

function messageParameter(metatype: unknown): Parameter {
  return {
    index: 0,
    type: RpcParamtype.PAYLOAD,
    data: undefined as never,
    metatype,
    pipes: [],
    extractValue: (message: unknown) => message,
  };
}

function pipesFor({ type, metatype, pipes }: Parameter, bound: readonly PipeTransform[]) {
  if (type === RpcParamtype.CONTEXT) return pipes;
  const all = [...bound, ...pipes];
  // It would make another instance of the class, without data, which the constructor refuses. The schema has checked it.
  return isMessageClass(metatype) ? all.filter((pipe) => !(pipe instanceof ValidationPipe)) : all;
}

function isMessageClass(type: unknown): boolean {
  if (typeof type !== 'function' || !('meta' in type)) return false;
  return typeof type.meta === 'object' && type.meta !== null && 'schema' in type.meta;
}
