// The state folder, and in it the token of the control API: created on the first start, read on later ones.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { isEngineError } from '../errors.js'
import { createFolder } from './create-folder.js'
import { stateError } from './state-errors.js'
import { lockState } from './state-lock.js'
import { writeAtomically } from './write-atomically.js'

const TOKEN_FILE = 'api.token'
const TOKEN_BYTES = 32
/** Base64url characters; at least 128 bits in a token that a user has chosen. */
const TOKEN = /^[A-Za-z0-9_-]{22,512}$/
const MAX_TOKEN_FILE_BYTES = 1024
const OTHERS_BITS = 0o007
const GROUP_BITS = 0o070

export interface StateDir extends AsyncDisposable {
  /** Absolute. */
  readonly path: string
  /** The token of the control API. */
  readonly token: string
}

/**
 * Opens the state folder for this process alone, until disposed. A new folder gets mode 0700, an existing one keeps its
 * mode; the token file must belong to this user and have mode 0600. Throws STATE_LOCKED, STATE_UNUSABLE,
 * STATE_TOKEN_EXPOSED, STATE_TOKEN_INVALID.
 */
export async function openStateDir(dir: string): Promise<StateDir> {
  try {
    await createFolder(dir, 0o700)
    const lock = await lockState(dir)
    try {
      const token = (await readToken(dir)) ?? (await createToken(dir))
      return { path: dir, token, [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose]() }
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
  } catch (error) {
    if (isEngineError(error)) throw error
    throw stateError('STATE_UNUSABLE', `${dir}: ${(error as Error).message}`, { cause: error })
  }
}

/** The token in a state folder; undefined if there is none. */
export async function readToken(dir: string): Promise<string | undefined> {
  const path = join(dir, TOKEN_FILE)
  let file
  try {
    // Does not follow a symbolic link, which could lead to another user's file, and does not wait for a FIFO.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const status = await file.stat()
    const foreign = process.getuid !== undefined && status.uid !== process.getuid()
    if (!status.isFile() || foreign || (status.mode & OTHERS_BITS) !== 0) {
      throw stateError('STATE_TOKEN_EXPOSED', `${path} must be a file that belongs to this user, with mode 600`)
    }
    // Kubernetes makes every file of a volume accessible to the pod's group (fsGroup) when it mounts it.
    if ((status.mode & GROUP_BITS) !== 0) await file.chmod(0o600)
    if (status.size > MAX_TOKEN_FILE_BYTES) throw stateError('STATE_TOKEN_INVALID', `${path} is too long`)
    const token = (await file.readFile('utf8')).trim()
    if (!TOKEN.test(token)) throw stateError('STATE_TOKEN_INVALID', `${path} does not contain a valid token`)
    return token
  } finally {
    await file.close()
  }
}

/** The token file is either complete or missing. Called under the lock. */
async function createToken(dir: string): Promise<string> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  await writeAtomically(join(dir, TOKEN_FILE), `${token}\n`)
  return token
}
