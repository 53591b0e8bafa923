import { ENGINE, MessageRegistry, SAMPLE, statisticsOf, type Engine } from '@callsheet/messaging';
import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '../openapi.decorators.js';
import { SendableMessages } from '../messages/sendable.messages.js';
import { actorList, actorView, toActorView, type ActorList, type ActorView } from './actor.view.js';
import { requireKnownActor } from './known.actor.js';

/** Shows actors: their messages, how many there are in which state, and how fast they are handled. */
@ApiTags('actors')
@Controller('v1/actors')
export class ActorsController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly registry: MessageRegistry,
    private readonly sendable: SendableMessages,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listActors', summary: 'All actors' })
  @ApiOkResponse({ description: 'by name', standardSchema: actorList })
  async list(): Promise<ActorList> {
    return { items: await Promise.all(this.registry.actors().map((name) => this.view(name))) };
  }

  @Get(':actor')
  @ApiOperation({ operationId: 'getActor', summary: 'An actor' })
  @ApiOkResponse({ description: 'the actor', standardSchema: actorView })
  async get(@Param('actor') actor: string): Promise<ActorView> {
    requireKnownActor(this.registry, actor);
    return this.view(actor);
  }

  private async view(name: string): Promise<ActorView> {
    const [counts, finished] = await Promise.all([
      this.engine.counts(name),
      this.engine.finished(name, SAMPLE),
    ]);
    const messages = this.sendable.all().filter(({ meta }) => meta.actor === name);
    return toActorView(name, messages, counts, statisticsOf(finished, Date.now()));
  }
}
