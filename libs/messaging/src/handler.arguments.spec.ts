import {
  Body,
  StandardSchemaValidationPipe,
  UsePipes,
  ValidationPipe,
  createParamDecorator,
  type ArgumentMetadata,
  type ExecutionContext,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { describe, expect, it } from 'vitest';
import { Actor, Handle } from './actor.decorators.js';
import { TurnContext } from './turn.context.js';
import type { Turn } from './turn.js';

import { app, deposit, Deposit, start, turnOf } from '../../../test/support/account.application.js';

describe('pipes', () => {
  it('get the message as the body it is, and what they return goes on; the turn stays itself', async () => {
    const metadata: ArgumentMetadata[] = [];
    class Copying implements PipeTransform {
      transform(value: object, given: ArgumentMetadata): object {
        metadata.push(given);
        return { ...value, by: 'pipe' };
      }
    }
    @UsePipes(new Copying())
    @Actor()
    class Account {
      @Handle(Deposit) deposit(message: Deposit, turn: Turn): unknown {
        return [message, turn];
      }
    }
    const run = await start([Account]);
    const turn = turnOf();
    const [message, second] = (await run(deposit, turn)) as unknown[];
    expect(message).toEqual({ amount: 3, by: 'pipe' });
    expect(second).toBe(turn);
    expect(metadata).toEqual([{ type: 'body', metatype: Deposit, data: undefined }]);
  });

  it('that refuse the message fail the turn with their error', async () => {
    const error = new Error('too much');
    class Limit implements PipeTransform {
      transform({ amount }: Deposit): never {
        expect(amount).toBe(3);
        throw error;
      }
    }
    @Actor()
    class Account {
      @UsePipes(new Limit())
      @Handle(Deposit)
      deposit(): void {}
    }
    await expect((await start([Account]))(deposit, turnOf())).rejects.toBe(error);
  });

  it('of an HTTP application, ValidationPipe among them, let messages through', async () => {
    const loaded: string[] = [];
    /** As the real one does with class-transformer: `new metatype()`, before it looks at anything. */
    class Constructing extends ValidationPipe {
      protected override loadValidator(): never {
        return { validate: () => [] } as never;
      }
      protected override loadTransformer(): never {
        const plainToInstance = (type: Type, value: object): object => {
          loaded.push(type.name);
          return Object.assign(new type() as object, value);
        };
        return { plainToInstance, plainToClass: plainToInstance } as never;
      }
    }
    class Slip {
      amount?: number;
    }
    @Actor()
    class Account {
      @Handle(Deposit) deposit(message: Deposit): Deposit {
        return message;
      }
    }
    const configure = (it: NestFastifyApplication): unknown =>
      it.useGlobalPipes(
        new Constructing({ transform: true, whitelist: true }),
        new StandardSchemaValidationPipe(),
      );
    const run = await start([Account], { configure });
    expect(await run(deposit, turnOf())).toBe(deposit);
    expect(loaded).toEqual([]);
    await app?.close();
    @Actor()
    class Converting {
      @Handle(Deposit) deposit(@Payload() slip: Slip): Slip {
        return slip;
      }
    }
    const slip = await (await start([Converting], { configure }))(deposit, turnOf());
    expect(slip).toBeInstanceOf(Slip);
    expect(loaded).toEqual(['Slip']);
  });
});

describe('parameter decorators', () => {
  // Its type asks for message and turn as the first parameters.
  const HandleDecorated = Handle(Deposit) as MethodDecorator;

  it('of @nestjs/microservices, @nestjs/common and the user give message, fields and context', async () => {
    const Tenant = createParamDecorator(
      (suffix: string, context: ExecutionContext) =>
        context.switchToRpc().getContext<TurnContext>().getTurn().tenant + suffix,
    );
    class Doubling implements PipeTransform {
      transform(value: number): number {
        return value * 2;
      }
    }
    @Actor()
    class Account {
      @HandleDecorated
      deposit(
        @Ctx() context: TurnContext,
        @Payload() message: Deposit,
        @Payload('amount', new Doubling()) amount: number,
        @Tenant('!') tenant: string,
        @Body() body: Deposit,
      ): unknown {
        return { context, message, amount, tenant, body };
      }
    }
    const turn = turnOf({ tenant: 'acme' });
    const got = (await (await start([Account]))(deposit, turn)) as Record<string, unknown>;
    expect(got).toMatchObject({ amount: 6, tenant: 'acme!' });
    expect((got.context as TurnContext).getTurn()).toBe(turn);
    expect(got.message).toBe(deposit);
    expect(got.body).toBe(deposit);
  });

  it('keep pipes bound to the handler away from @Ctx(), which a copy would cut off', async () => {
    class Copying implements PipeTransform {
      transform(value: object): object {
        return { ...value };
      }
    }
    @UsePipes(new Copying())
    @Actor()
    class Account {
      @HandleDecorated deposit(@Payload() message: Deposit, @Ctx() context: TurnContext): unknown {
        return [message, context];
      }
    }
    const [message, context] = (await (await start([Account]))(deposit, turnOf())) as unknown[];
    expect(message).not.toBe(deposit);
    expect(context).toBeInstanceOf(TurnContext);
  });

  it('leave the turn to a second parameter without one', async () => {
    @Actor()
    class Account {
      @HandleDecorated deposit(@Payload('amount') amount: number, turn: Turn): unknown {
        return [amount, turn.id];
      }
    }
    const turn = turnOf();
    const run = await start([Account]);
    expect(await run(deposit, turn)).toEqual([3, turn.id]);
  });
});
