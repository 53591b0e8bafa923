import { client, type Shown } from '../api/client.js';
import { isMissing } from '../api/problem.js';

/** A message by its id; undefined when it is not kept any more. */
export async function findMessage(id: string): Promise<Shown['Message'] | undefined> {
  try {
    return (await client.GET('/v1/messages/{id}', { params: { path: { id } } })).data;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
