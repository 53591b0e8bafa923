import { Global, Module, type ModuleMetadata, type Provider } from '@nestjs/common';
import { Test, type TestingModule, type TestingModuleBuilder } from '@nestjs/testing';
import { CHECKPOINT, RANDOM, type Checkpoint } from '../checkpoint.js';
import { CLOCK } from '../clock.js';
import { ENGINE } from '../engine.js';
import { CallsheetModule } from '../messaging.module.js';
import { OPTIONS, type ResolvedOptions } from '../messaging.options.js';
import { importsCallsheet } from './callsheet.finder.js';
import type { Direction } from './direction.js';
import { seededRandom } from './seeded.random.js';
import { TestEngine } from './test.engine.js';
import { VirtualClock } from './virtual.clock.js';

/** Time and chance in a test. */
export interface TestTimeOptions {
  /** What time it is at the start. Default 2026-01-01T00:00:00Z. */
  now?: Date;
  /** What the random part of back-off is made from, a whole number. Default 1. */
  seed?: number;
}

/** Who directs, and how many turns one drain may take. */
export interface Staging {
  direction?: Direction;
  most?: number;
}

/** Options of `TestCallsheet.create`. */
export interface TestCallsheetOptions
  extends TestTimeOptions, Pick<ModuleMetadata, 'imports' | 'providers' | 'controllers'> {
  /** Changes the module before it is compiled: `(builder) => builder.overrideProvider(Smtp).useValue(fake)`. */
  override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
}

/** What is only there to be overridden. */
const seams: Provider[] = [
  { provide: RANDOM, useValue: Math.random },
  { provide: CHECKPOINT, useValue: undefined },
];

@Global()
@Module({ providers: seams, exports: [RANDOM, CHECKPOINT] })
class ChanceModule {}

/** Puts the test's engine, clock and chance in place of the application's. */
export function overrideModule(
  builder: TestingModuleBuilder,
  { now, seed = 1 }: TestTimeOptions,
  staging?: Staging,
): TestingModuleBuilder {
  const clock = new VirtualClock(now);
  const random = seededRandom(seed);
  let engine: TestEngine | undefined;
  const open = (options: ResolvedOptions): TestEngine =>
    (engine = new TestEngine(options, clock, random, staging));
  const checkpoint: Checkpoint = (step, delivery) => engine?.pass(step, delivery);
  return builder
    .overrideProvider(CLOCK)
    .useValue(clock)
    .overrideProvider(ENGINE)
    .useFactory({ factory: open, inject: [OPTIONS] })
    .overrideProvider(RANDOM)
    .useValue(random)
    .overrideProvider(CHECKPOINT)
    .useValue(checkpoint);
}

/** Builds and starts an application; adds CallsheetModule where nothing imports it. */
export async function buildModule(
  options: TestCallsheetOptions,
  staging?: Staging,
  configure: (builder: TestingModuleBuilder) => TestingModuleBuilder = (builder) => builder,
): Promise<TestingModule> {
  const { imports = [], providers = [], controllers = [], override } = options;
  const added = (await importsCallsheet(imports))
    ? []
    : [CallsheetModule.forRoot({ url: 'memory:' })];
  const builder = Test.createTestingModule({
    imports: [ChanceModule, ...added, ...imports],
    providers,
    controllers,
  });
  const changed = configure(overrideModule(builder, options, staging));
  const module = await (override?.(changed) ?? changed).compile();
  return module.init();
}
