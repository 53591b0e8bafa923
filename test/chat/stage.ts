import { messages, PostChat } from '@callsheet/contracts';
import { Actors, CallsheetModule } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { onTestFinished } from 'vitest';
import { RoomSettings } from '../../apps/api/src/chat/room.settings.js';
import { ApiModule, createHttpApp } from '../../apps/api/src/index.js';
import { ChatActor } from '../../apps/worker/src/chat/chat.actor.js';

interface StageOptions {
  url?: string;
  apiKey?: string;
  /** How often one looks without a signal, ms. */
  poll?: number;
}

/** An api with the actor of rooms in it, that listens on a port of this machine. */
export class Stage {
  private constructor(
    readonly app: NestFastifyApplication,
    /** Without a slash at its end. */
    readonly url: string,
  ) {}

  /** As {@link open}; closed when the test ends. */
  static async forTest(options?: StageOptions): Promise<Stage> {
    const stage = await Stage.open(options);
    onTestFinished(() => stage.app.close());
    return stage;
  }

  /** The caller closes it. */
  static async open({ url = 'memory:', apiKey, poll }: StageOptions = {}): Promise<Stage> {
    class StageModule {}
    const module = {
      module: StageModule,
      imports: [CallsheetModule.forRoot({ url, messages }), ApiModule],
      providers: [ChatActor],
    };
    const app = await createHttpApp(module, { apiKey });
    app.useLogger(false);
    if (poll !== undefined) app.get(RoomSettings).poll = poll;
    await app.listen(0, '127.0.0.1');
    return new Stage(app, await app.getUrl());
  }

  /** Says things in the lobby, one after the other. */
  async say(...texts: string[]): Promise<void> {
    for (const text of texts) {
      await this.app.get(Actors).ask(new PostChat({ room: 'lobby', author: 'ada', text }));
    }
  }

  async request<T = Record<string, unknown>>(
    path: string,
    { body, headers }: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; body: T }> {
    const response = await fetch(this.url + path, {
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  }
}
