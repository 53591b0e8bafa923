import {
  DeliverWebhook,
  EmailBounced,
  WebhookReceived,
} from '../../../libs/contracts/src/index.js';
import { Actor, Actors, On } from '../../../libs/messaging/src/index.js';
import {
  Pipeline,
  postgresTable,
  postgresUpsert,
  type Sink,
  type Source,
} from '../../../libs/sync/src/index.js';

/** What the actors of a user work with, beside those of the worker. */
export class FieldOptions {
  /**
   * @param hook where what is heard goes on to: a URL without a slash at its end
   * @param from database with the table `source`
   * @param to database with the table `target`
   */
  constructor(
    readonly hook: string,
    readonly from: string,
    readonly to: string,
  ) {}
}

/** Tells by webhook of what others have told by webhook, and of refused mails: an endpoint for each type. */
@Actor({ name: 'relay' })
export class RelayActor {
  constructor(
    private readonly actors: Actors,
    private readonly options: FieldOptions,
  ) {}

  @On(WebhookReceived, { topic: 'hooks.shop.**' })
  async received({ type, payload }: WebhookReceived): Promise<void> {
    await this.tell(type, payload);
  }

  @On(EmailBounced)
  async bounced({ id, recipient, status, permanent }: EmailBounced): Promise<void> {
    await this.tell('email.bounced', { id, recipient, status, permanent });
  }

  private async tell(event: string, payload: Record<string, unknown>): Promise<void> {
    const url = `${this.options.hook}/${event}`;
    await this.actors.tell(new DeliverWebhook({ url, event, payload }));
  }
}

/** Columns of its tables. */
export const ROW_COLUMNS = 'id bigint primary key, n bigint not null, updated_at timestamptz';

/** Copies a table to another database; a run begins when somebody asks. */
@Pipeline({ name: 'rows', page: 200, retry: { attempts: 100, delay: '100ms', factor: 1 } })
export class RowsSync {
  readonly from: Source;
  readonly to: Sink;

  constructor({ from, to }: FieldOptions) {
    this.from = postgresTable({ url: from, table: 'source' });
    this.to = postgresUpsert({ url: to, table: 'target', version: 'updated_at' });
  }
}
