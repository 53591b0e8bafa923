import type { Consumer } from './engine.js';

/**
 * What an actor takes in this process: as many turns at a time as it is told, none while it is shut. It is shut at first, and begins to
 * consume when it is opened the first time, so that one that starts while it is shut takes nothing at all.
 */
export class ActorValve implements Consumer {
  private consumer?: Consumer;
  private beginning?: Promise<Consumer>;
  private isOpen = false;
  private isStopped = false;
  /** What the consumer was told last. */
  private told: number;

  /**
   * @param most turns at the same time, with which the consumer begins
   * @param begin starts the consumer
   */
  constructor(
    private most: number,
    private readonly begin: () => Promise<Consumer>,
  ) {
    this.told = most;
  }

  /** @throws what `begin` rejects with; may be called again then */
  async open(): Promise<void> {
    this.isOpen = true;
    if (this.isStopped) return;
    this.consumer ??= await this.begun();
    this.settle();
  }

  shut(): void {
    this.isOpen = false;
    this.settle();
  }

  limit(concurrency: number): void {
    this.most = concurrency;
    this.settle();
  }

  async stop(grace: number): Promise<void> {
    this.isStopped = true;
    const consumer = this.consumer ?? (await this.beginning?.catch(() => undefined));
    await consumer?.stop(grace);
  }

  private async begun(): Promise<Consumer> {
    this.beginning ??= this.begin();
    try {
      return await this.beginning;
    } finally {
      this.beginning = undefined;
    }
  }

  /** A limit would set one that has stopped going again. */
  private settle(): void {
    const turns = this.isOpen ? this.most : 0;
    if (turns === this.told || !this.consumer || this.isStopped) return;
    this.told = turns;
    this.consumer.limit(turns);
  }
}
