/** What a handler gets beside its message: one attempt to handle it. */
export interface Turn {
  /** The message's id, the same in every attempt: use it as idempotency key towards other systems. */
  readonly id: string;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  /** How many attempts the message has in all. */
  readonly attempts: number;
  /** When the message was sent. */
  readonly sentAt: Date;
  /** Nominal time, when the message is an occurrence of a schedule. */
  readonly occurrence: Date | undefined;
  /** What the sender attached. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborts when the process is stopping and the message will be handed back, or when another process has taken it over. */
  readonly signal: AbortSignal;
}
