import type { Client } from './redis.client.js';

type Listener = (message: string) => void;

/** What is published on channels, for whoever listens in this process: one connection, made at the first need. */
export class RedisNotices {
  private readonly listeners = new Map<string, Set<Listener>>();
  private client?: Promise<Client>;

  /** @param connect makes a client that subscribes again by itself after an outage */
  constructor(private readonly connect: () => Client) {}

  /** Resolves when nothing that is published from now on is missed, as long as the connection holds. */
  async listen(channel: string, listener: Listener): Promise<() => Promise<void>> {
    this.client ??= this.open();
    const client = await this.client;
    const group = this.listeners.get(channel) ?? new Set();
    this.listeners.set(channel, group.add(listener));
    await client.subscribe(channel);
    return async () => {
      group.delete(listener);
      if (group.size > 0 || this.listeners.get(channel) !== group) return;
      this.listeners.delete(channel);
      if (client.status === 'ready') await client.unsubscribe(channel).catch(() => undefined);
    };
  }

  close(): void {
    this.client?.then((client) => client.disconnect()).catch(() => undefined);
  }

  private async open(): Promise<Client> {
    const client = this.connect();
    client.on('message', (channel: string, message: string) => {
      for (const listener of this.listeners.get(channel) ?? []) listener(message);
    });
    try {
      await client.connect();
      return client;
    } catch (error) {
      // The next one who listens tries again.
      this.client = undefined;
      client.disconnect();
      throw error;
    }
  }
}
