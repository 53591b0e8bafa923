import type { ActorView } from '../../apps/api/src/actors/actor.view.js';
import type { MessageView } from '../../apps/api/src/messages/message.view.js';
import type { Problem } from '../../apps/api/src/problem.js';
import type { ScheduleView } from '../../apps/api/src/schedules/schedule.view.js';
import { eventually } from './eventually.js';

/** The body that sends one message. */
export interface Sending {
  type: 'email.send' | 'webhook.deliver';
  data: Record<string, unknown>;
  id?: string;
  priority?: string | number;
  delay?: string | number;
  ttl?: string | number;
}

export interface Receipt {
  id: string;
  state: 'waiting' | 'delayed';
  durability: string;
}

/** A webhook to deliver; `event` tells it from others. */
export function webhookTo(url: string, event = 'test.event', payload = {}): Sending {
  return { type: 'webhook.deliver', data: { url, event, payload } };
}

/** A mail; `subject` tells it from others. */
export function mailTo(to: string, subject = 'Hello'): Sending {
  return { type: 'email.send', data: { to, subject, text: 'It works.' } };
}

/** The HTTP API of a running app, as a client sees it. What is not answered as it should be throws. */
export class ApiClient {
  constructor(readonly url: string) {}

  /** Any request, for answers that are not the usual ones. */
  async request<T = Problem>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: T }> {
    const response = await fetch(this.url + path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
    const text = await response.text();
    return { status: response.status, body: (text ? JSON.parse(text) : undefined) as T };
  }

  tell(sending: Sending): Promise<Receipt> {
    return this.expect(202, 'POST', '/v1/messages', sending);
  }

  async tellMany(messages: Sending[]): Promise<Receipt[]> {
    const answer = await this.expect<{ messages: Receipt[] }>(202, 'POST', '/v1/messages:batch', {
      messages,
    });
    return answer.messages;
  }

  message(id: string): Promise<MessageView> {
    return this.expect(200, 'GET', `/v1/messages/${encodeURIComponent(id)}`);
  }

  actor(name: string): Promise<ActorView> {
    return this.expect(200, 'GET', `/v1/actors/${name}`);
  }

  actors(): Promise<{ items: ActorView[] }> {
    return this.expect(200, 'GET', '/v1/actors');
  }

  schedules(): Promise<{ items: ScheduleView[] }> {
    return this.expect(200, 'GET', '/v1/schedules');
  }

  deadLetters(query = ''): Promise<{ items: MessageView[]; next?: string }> {
    return this.expect(200, 'GET', `/v1/dead-letters${query}`);
  }

  redrive(id: string): Promise<{ id: string; state: string }> {
    return this.expect(202, 'POST', `/v1/dead-letters/${encodeURIComponent(id)}/redrive`);
  }

  /** Waits until the message is in this state. */
  until(id: string, state: MessageView['state'], timeout = 10_000): Promise<MessageView> {
    return eventually(
      async () => {
        const message = await this.message(id);
        if (message.state === state) return message;
        throw new Error(`not ${state} yet: ${JSON.stringify(message)}`);
      },
      { timeout },
    );
  }

  private async expect<T>(
    status: number,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<T> {
    const answer = await this.request<T>(method, path, body);
    if (answer.status === status) return answer.body;
    throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
}
