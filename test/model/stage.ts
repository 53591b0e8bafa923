import { CallsheetModule, type CallsheetOptions } from '@callsheet/messaging';
import type { INestApplicationContext, Provider, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { randomBytes } from 'node:crypto';

/** A store that the programming model is tried on. */
export interface Store {
  name: string;
  url(): Promise<string>;
  /** Another one, for a case that runs beside others, where a store can be open only once. */
  own?(): string;
  /** Why several processes cannot use it; undefined when they can. */
  alone?: string;
}

/** One case at work: applications on a store, closed at the end. */
export class Stage {
  private readonly apps: INestApplicationContext[] = [];

  constructor(
    readonly url: string,
    readonly store: Store,
  ) {}

  /** Starts an application with these providers, actors among them. */
  async app(
    providers: Provider[],
    options: CallsheetOptions = {},
    {
      imports = [],
      configure,
    }: { imports?: Type[]; configure?: (app: INestApplicationContext) => void } = {},
  ): Promise<INestApplicationContext> {
    const module = await Test.createTestingModule({
      imports: [
        CallsheetModule.forRoot({ url: this.url, lockDuration: '1s', ...options }),
        ...imports,
      ],
      providers,
    })
      .setLogger(SILENT)
      .compile();
    configure?.(module);
    await module.init();
    this.apps.push(module);
    return module;
  }

  async close(): Promise<void> {
    for (const app of this.apps.splice(0).reverse()) await app.close();
  }
}

const none = (): void => undefined;
/** Failing turns are what these cases are about. */
const SILENT = { log: none, warn: none, error: none, debug: none, verbose: none, fatal: none };

/** One behaviour that users rely on, and how it is tried. */
export interface ModelCase {
  behaviour: string;
  /** Whether it takes several processes. */
  shared?: boolean;
  /** Whether it waits most of its time: such cases run beside each other. */
  waits?: boolean;
  run(stage: Stage): Promise<void>;
}

/** A name for an actor that no other case has. */
export function uniqueActor(): string {
  return `m${randomBytes(5).toString('hex')}`;
}

export type { Type };
