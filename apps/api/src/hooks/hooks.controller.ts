import { hookTopic, WebhookReceived } from '@callsheet/contracts';
import { Actors } from '@callsheet/messaging';
import { Body, Controller, Headers, HttpCode, Param, Post } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { RawBody } from '../json.body.js';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiHeader,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '../openapi.decorators.js';
import { ProblemError } from '../problem.js';
import { ref } from '../schema.registry.js';
import { SignedRoute } from '../signed.route.js';
import { HookRate } from './hook.rate.js';
import { HookSecrets } from './hook.secrets.js';
import { signedId } from './hook.signature.js';
import { hookTaken, type HookTaken } from './hook.view.js';

const NOTHING = Buffer.alloc(0);
const LONGEST_TYPE = 200;

/** Takes webhooks of other systems, and makes events of them. */
@ApiTags('hooks')
@Controller('v1/hooks')
export class HooksController {
  constructor(
    private readonly secrets: HookSecrets,
    private readonly rate: HookRate,
    private readonly actors: Actors,
  ) {}

  @Post(':source')
  @HttpCode(202)
  @SignedRoute()
  @ApiOperation({
    operationId: 'takeWebhook',
    summary: 'Take a webhook, signed after Standard Webhooks, and publish it as an event',
    security: [],
  })
  @ApiParam({
    name: 'source',
    description: 'who sends it: one of those in HOOK_SECRETS',
    schema: { type: 'string', maxLength: 30 },
  })
  @ApiHeader({ name: 'webhook-id', required: true, description: 'the same each time it is sent' })
  @ApiHeader({
    name: 'webhook-timestamp',
    required: true,
    description: 'when it was sent, seconds since 1970: at most five minutes from the clock here',
  })
  @ApiHeader({
    name: 'webhook-signature',
    required: true,
    description:
      'v1, and the base64 of the HMAC-SHA256 over id.timestamp.body; several with spaces',
  })
  @ApiBody({ schema: ref('HookBody') })
  @ApiAcceptedResponse({
    description: 'stored, now or when it came first; as a dead letter when nobody receives it',
    standardSchema: hookTaken,
  })
  async take(
    @Param('source') source: string,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
  ): Promise<HookTaken> {
    const secrets = this.secrets.of(source);
    if (!secrets) {
      throw new ProblemError('unknown_source', 'no secret of this source is in HOOK_SECRETS');
    }
    const webhookId = signedId(headers, body?.bytes ?? NOTHING, secrets);
    this.requireRate(source);
    const event = received(source, body?.json());
    const id = `hook:${source}:${webhookId}`;
    const topic = hookTopic(event);
    await this.actors.publish(event, { id, topic, unrouted: 'keep' });
    return { id, topic };
  }

  private requireRate(source: string): void {
    const early = this.rate.take(source);
    if (early === 0) return;
    throw new ProblemError('too_many_webhooks', 'send it again later', {
      headers: { 'retry-after': String(Math.ceil(early / 1_000)) },
    });
  }
}

/** @throws ProblemError for what is no object, and what a message cannot carry */
function received(source: string, payload: unknown): WebhookReceived {
  if (payload === undefined) throw new ProblemError('malformed_json', 'the body is empty');
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    const errors = [{ path: '', message: 'must be an object' }];
    throw new ProblemError('invalid_body', 'the body must be an object', { errors });
  }
  const { type } = payload as { type?: unknown };
  return new WebhookReceived({
    source,
    type: typeof type === 'string' && type.length <= LONGEST_TYPE ? type : '',
    payload: payload as Record<string, unknown>,
  });
}
