// The key of an output's grants: kept in its folder, so that viewers go on after a restart.
import { randomBytes } from 'node:crypto'
import type { NodeContext, Store } from '@millrace/engine/plugin'
import { KEY_BYTES } from './sealed-grant.js'

const FILE = 'grants.key'

/** Never rejects. Without a store, grants end with the process. */
export async function readGrantKey(
  store: Pick<Store, 'read' | 'write'> | undefined,
  log: NodeContext['log'],
): Promise<Uint8Array> {
  const made = randomBytes(KEY_BYTES)
  if (store === undefined) return made
  try {
    const kept = await store.read(FILE)
    if (kept?.length === KEY_BYTES) return kept
    await store.write(FILE, made)
  } catch (error) {
    log.warn({ err: error }, 'the key of grants cannot be kept: viewers have to sign in again after a restart')
  }
  return made
}
