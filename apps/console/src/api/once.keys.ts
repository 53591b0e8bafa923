/**
 * Idempotency keys of calls that change something. One that got no answer may have been done: made again it has the key it had, so it is
 * not done twice.
 */
export class OnceKeys {
  private readonly unanswered = new Map<string, string>();

  /** The key of a call. @param call what tells it from others: its method, address and body */
  of(call: string): string {
    const key = this.unanswered.get(call) ?? crypto.randomUUID();
    this.unanswered.set(call, key);
    return key;
  }

  /** An answer has come: the same call is another one from now on. */
  answered(key: string): void {
    for (const [call, known] of this.unanswered) if (known === key) this.unanswered.delete(call);
  }

  /** Whoever begins anew means another call, even if it is the same. */
  forget(): void {
    this.unanswered.clear();
  }
}

export const onceKeys = new OnceKeys();
