// Whether the folder for state that outlives the process can be written, or created, and whether an engine uses it.
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { findHolder } from '../state/state-lock.js'
import type { Finding } from './finding.js'

const CHECK = 'stateDir'
const OTHERS = 0o077

export async function checkStateDir(path: string): Promise<Finding> {
  const fail = (found: string, advice: string): Finding => ({ check: CHECK, level: 'fail', found, advice })
  if (!existsSync(path)) {
    const above = nearestThatExists(path)
    if (isWritable(above)) return { check: CHECK, level: 'ok', found: `${path} will be created`, advice: '' }
    return fail(`${path} cannot be created: ${above} is not writable`, 'choose another engine.stateDir')
  }
  const status = statSync(path)
  if (!status.isDirectory()) return fail(`${path} is not a folder`, 'choose another engine.stateDir, or move it away')
  if (!isWritable(path)) {
    return fail(
      `${path} is not writable`,
      'make it writable for the user that runs the engine, or choose another engine.stateDir',
    )
  }
  const holder = await findHolder(path)
  if (holder !== undefined) {
    const advice = 'an engine is running: stop it first, or give this one its own engine.stateDir'
    return { check: CHECK, level: 'warn', found: `${path} is in use by ${holder}`, advice }
  }
  if ((status.mode & OTHERS) !== 0) {
    const found = `${path} is accessible to other users`
    return { check: CHECK, level: 'warn', found, advice: `it holds the token of the control API: chmod 700 ${path}` }
  }
  return { check: CHECK, level: 'ok', found: `${path} is writable`, advice: '' }
}

function nearestThatExists(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestThatExists(dirname(path))
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
