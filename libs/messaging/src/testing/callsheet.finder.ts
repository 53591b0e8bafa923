import type { DynamicModule, ForwardReference, ModuleMetadata, Type } from '@nestjs/common';
import { MODULE_METADATA } from '@nestjs/common/constants.js';
import { CallsheetModule } from '../messaging.module.js';

type Imported = NonNullable<ModuleMetadata['imports']>[number];

/** Whether one of these modules, or of those they import, is {@link CallsheetModule}. */
export async function importsCallsheet(
  imports: readonly Imported[],
  seen = new Set<unknown>(),
): Promise<boolean> {
  for (const each of imports) {
    const found = await resolved(each);
    const type = 'module' in found ? found.module : found;
    if (type === CallsheetModule) return true;
    const own = 'module' in found ? (found.imports ?? []) : [];
    const declared = seen.has(type) ? [] : importsOf(type);
    seen.add(type);
    if (await importsCallsheet([...own, ...declared], seen)) return true;
  }
  return false;
}

async function resolved(each: Imported): Promise<DynamicModule | Type> {
  const found = (await each) as DynamicModule | Type | ForwardReference<() => Type>;
  return 'forwardRef' in found ? found.forwardRef() : found;
}

function importsOf(type: Type): Imported[] {
  return (Reflect.getMetadata(MODULE_METADATA.IMPORTS, type) as Imported[] | undefined) ?? [];
}
