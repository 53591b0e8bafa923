import { Deposit, Transfer } from '@callsheet/contracts';
import { Actors, ENGINE, type Engine } from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';
import type { Account, Run } from './transfers.js';

const ACTOR = 'account';
const BATCH = 100;

/** Sends a run to the account actor and looks what has become of it. */
@Injectable()
export class Ledger {
  constructor(
    private readonly actors: Actors,
    @Inject(ENGINE) private readonly engine: Engine,
  ) {}

  /**
   * Runs of this series that came to their end: the entries of an account that is kept for it, so that every process on the
   * store knows, and a kill between the end and its note leaves the run open.
   */
  async finished(series: string): Promise<number> {
    return (await this.account(`${series}.runs`))?.entries ?? 0;
  }

  /** Two processes may finish one run: it has one id, and counts once. */
  async finish(series: string, name: string): Promise<void> {
    const note = new Deposit({ accountId: `${series}.runs`, amount: 1 });
    await this.actors.ask(note, { id: `${name}/finished`, timeout: '30s' });
  }

  /** Sends all of it, from the beginning: what the store has already, under its id, changes nothing. */
  async *send({ openings, transfers }: Run): AsyncGenerator<number> {
    const opened = [...openings].map(([accountId, amount]) => ({
      message: new Deposit({ accountId, amount }),
      options: { id: `${accountId}/opening` },
    }));
    await this.actors.tellMany(opened);
    for (let first = 0; first < transfers.length; first += BATCH) {
      const batch = transfers.slice(first, first + BATCH);
      await this.actors.tellMany(
        batch.map(({ id, from, to, amount }) => ({
          message: new Transfer({ accountId: from, to, amount }),
          options: { id },
        })),
      );
      yield first + batch.length;
    }
  }

  /** What the store says of these accounts; those without a state are left out. */
  async books(accounts: Iterable<string>): Promise<Map<string, Account>> {
    const books = new Map<string, Account>();
    for (const name of accounts) {
      const account = await this.account(name);
      if (account) books.set(name, account);
    }
    return books;
  }

  /** How often something was put on these accounts or taken from them: how far a run has come. */
  async entries(accounts: Iterable<string>): Promise<number> {
    const books = await this.books(accounts);
    return [...books.values()].reduce((sum, { entries }) => sum + entries, 0);
  }

  /**
   * How many messages stand in the mailboxes of these accounts. They are looked at one after the other, and a transfer puts a
   * deposit on another account: all is over when the answer was 0 twice running.
   */
  async waiting(accounts: Iterable<string>): Promise<number> {
    let waiting = 0;
    for (const account of accounts) waiting += (await this.engine.key(ACTOR, account))?.depth ?? 0;
    return waiting;
  }

  private async account(name: string): Promise<Account | undefined> {
    const state = await this.engine.state(ACTOR, name);
    return state?.data as Account | undefined;
  }
}
