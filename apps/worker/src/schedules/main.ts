import { actors, messages } from '@callsheet/contracts';
import { CallsheetModule, encryptionOf, launch, requireSharedStore } from '@callsheet/messaging';
import { Deployments } from '@callsheet/scheduler';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WorkerModule } from '../worker.module.js';
import { planText } from './plan.text.js';

/** The worker's modules, of which no actor takes messages. */
@Module({})
class MainModule {
  static on(url: string): DynamicModule {
    return {
      module: MainModule,
      imports: [
        CallsheetModule.forRoot({
          url,
          messages,
          actors,
          consume: false,
          encryption: encryptionOf(process.env),
        }),
        WorkerModule,
      ],
    };
  }
}

/** Exit code of a plan that removes schedules. */
const REMOVES = 2;

const command = process.argv.find((argument) => argument === 'plan' || argument === 'apply');
/** As `callsheet schedules` asks. */
const isJson = process.argv.includes('--json');
if (command === undefined) {
  process.stderr.write('usage: npm run schedules -- plan|apply\n');
  process.exit(1);
}

await launch(async (options) => {
  const module = MainModule.on(requireSharedStore(process.env.CALLSHEET_URL, 'a command'));
  const app = await NestFactory.createApplicationContext(module, options);
  const deployments = app.get(Deployments, { strict: false });
  const plan = await deployments.plan();
  process.stdout.write(isJson ? `${JSON.stringify(plan)}\n` : planText(plan));
  const removes = plan.some(({ change }) => change === 'remove');
  if (command === 'apply') {
    await deployments.apply(true);
    if (!isJson) process.stdout.write('told the workers to apply it\n');
  }
  await app.close();
  process.exit(command === 'plan' && removes ? REMOVES : 0);
});
