import {
  ENGINE,
  MessageRegistry,
  Pauses,
  SAMPLE,
  statisticsOf,
  type Engine,
  type Pause,
} from '@callsheet/messaging';
import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '../openapi.decorators.js';
import { SendableMessages } from '../messages/sendable.messages.js';
import {
  actorList,
  actorPause,
  actorView,
  toActorView,
  type ActorList,
  type ActorPause,
  type ActorView,
} from './actor.view.js';
import { knownActors, requireKnownActor } from './known.actor.js';

/** Shows actors: their messages, how many there are in which state, and how fast they are handled; pauses them. */
@ApiTags('actors')
@Controller('v1/actors')
export class ActorsController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly registry: MessageRegistry,
    private readonly sendable: SendableMessages,
    private readonly pauses: Pauses,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listActors', summary: 'All actors' })
  @ApiOkResponse({ description: 'by name', standardSchema: actorList })
  async list(): Promise<ActorList> {
    const paused = await this.pauses.all();
    const views = knownActors(this.registry).map((name) => this.view(name, paused.get(name)));
    return { items: await Promise.all(views) };
  }

  @Get(':actor')
  @ApiOperation({ operationId: 'getActor', summary: 'An actor' })
  @ApiOkResponse({ description: 'the actor', standardSchema: actorView })
  async get(@Param('actor') actor: string): Promise<ActorView> {
    requireKnownActor(this.registry, actor);
    return this.view(actor, await this.pauses.get(actor));
  }

  @Post(':actor/pause')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'pauseActor',
    summary:
      'Let an actor take no more messages, in all processes, or change the reason; what is sent to it is kept, turns in work go on',
  })
  @ApiOkResponse({ description: 'the actor', standardSchema: actorView })
  async pause(
    @Param('actor') actor: string,
    @Body({ schema: actorPause }) { reason }: ActorPause,
  ): Promise<ActorView> {
    requireKnownActor(this.registry, actor);
    return this.view(actor, await this.pauses.pause(actor, reason));
  }

  @Post(':actor/resume')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'resumeActor',
    summary: 'Let a paused actor go on; one that is not paused stays as it is',
  })
  @ApiOkResponse({ description: 'the actor', standardSchema: actorView })
  async resume(@Param('actor') actor: string): Promise<ActorView> {
    requireKnownActor(this.registry, actor);
    await this.pauses.resume(actor);
    return this.view(actor, undefined);
  }

  private async view(name: string, paused: Pause | undefined): Promise<ActorView> {
    const [counts, quarantined, finished] = await Promise.all([
      this.engine.counts(name),
      this.engine.quarantined(name),
      this.engine.finished(name, SAMPLE),
    ]);
    const messages = this.sendable.all().filter(({ meta }) => meta.actor === name);
    const statistics = statisticsOf(finished, Date.now());
    return toActorView(name, messages, counts, quarantined.length, statistics, paused);
  }
}
