// Gives files the texts that they had before a change of theirs that does not run.
import { messageOf } from '../errors.js'
import type { Logger } from '../plugin/contract.js'
import { removeCreated, replaceFile } from './replace-file.js'
import type { Replacement } from './replace-file.js'

/** Each atomically, the last one first. False if one could not be, or somebody has changed it since. Never rejects. */
export async function putBack(written: readonly Replacement[], log: Logger): Promise<boolean> {
  let isWhole = true
  for (const { path, before, after } of written.toReversed()) {
    try {
      if (before === undefined) await removeCreated({ path, after })
      else await replaceFile({ path, before: after, after: before })
      log.warn({ file: path }, 'what was written does not run: the file is as before')
    } catch (error) {
      isWhole = false
      log.error({ file: path, why: messageOf(error) }, 'what was written does not run, and the file was not put back')
    }
  }
  return isWhole
}
