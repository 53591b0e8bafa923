import {
  Actors,
  OptionError,
  type GatherOptions,
  type MessageInstance,
} from '@callsheet/messaging';
import { Body, Controller, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { Asker, type Principal } from '../access/principal.js';
import {
  ApiAcceptedResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '../openapi.decorators.js';
import { askTimeout } from '../messages/ask.timeout.js';
import { SendableMessages } from '../messages/sendable.messages.js';
import { sendOptionsOf, tellOptionsOf } from '../messages/telling.js';
import {
  eventAsking,
  gathered,
  published,
  publishing,
  toGathered,
  toPublished,
  type EventAsking,
  type Gathered,
  type Published,
  type Publishing,
} from './publishing.js';

const ApiTopic = (): MethodDecorator =>
  ApiParam({
    name: 'topic',
    description: 'up to ten words of letters, digits, _ and -, with dots between',
    schema: { type: 'string', maxLength: 200 },
    examples: { orders: { value: 'orders.eu.created' } },
  });

/** Publishes events: to those that subscribe, and where stored routes lead them. */
@ApiTags('topics')
@Controller('v1/topics')
export class TopicsController {
  constructor(
    private readonly actors: Actors,
    private readonly sendable: SendableMessages,
  ) {}

  @Post(':topic')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'publishEvent',
    summary: 'Publish an event: a copy for each that receives it, all or none',
  })
  @ApiTopic()
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'the same as id in the body',
  })
  @ApiAcceptedResponse({
    description: 'stored; when nobody receives it, nothing is, unless unrouted is keep',
    standardSchema: published,
  })
  async publish(
    @Param('topic') topic: string,
    @Body({ schema: publishing }) body: Publishing,
    @Headers('idempotency-key') key: string | undefined,
    @Asker() by: Principal,
  ): Promise<Published> {
    const { unrouted, type = topic, ...rest } = body;
    const event = this.event(topic, body);
    const options = { ...tellOptionsOf({ ...rest, type }, by, key), topic, unrouted };
    return toPublished(await this.actors.publish(event, options), topic);
  }

  // The expression ends the parameter before the colon, which Fastify wants doubled.
  @Post(':topic(^[^:]+)::ask')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'askEvent',
    summary:
      'Publish an event and gather the replies of those that receive it, until there are enough or the time is up',
  })
  @ApiTopic()
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'the same as id in the body; asking again with it waits for the same replies',
  })
  @ApiOkResponse({
    description: 'what has been answered; isComplete says whether it is enough',
    standardSchema: gathered,
  })
  async ask(
    @Param('topic') topic: string,
    @Body({ schema: eventAsking }) body: EventAsking,
    @Headers('idempotency-key') key: string | undefined,
    @Asker() by: Principal,
  ): Promise<Gathered> {
    const { timeout, need, type = topic, ...rest } = body;
    const event = this.event(topic, body);
    const gathering = await this.actors.gather(event, {
      ...sendOptionsOf({ ...rest, type }, by, key),
      topic,
      timeout: askTimeout(timeout),
      ...(need !== undefined && { need: need as GatherOptions['need'] }),
    });
    return toGathered(gathering);
  }

  private event(
    topic: string,
    { type, data, version }: Pick<Publishing, 'type' | 'data' | 'version'>,
  ): MessageInstance {
    if (type === undefined && !this.sendable.find(topic)) {
      const problem = `is needed: the topic '${topic}' is not the type of a message; see /v1/actors`;
      throw new OptionError('type', problem);
    }
    return this.sendable.create(type ?? topic, data, version);
  }
}
