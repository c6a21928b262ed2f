// Commands of one node, as its definition declares them: the input is checked, one runs at a time, others wait for their
// turn. An error of a command is the answer to whoever asked, and never fails the node.
import { EngineError, isEngineError, messageOf } from '../../errors.js'
import { didYouMean } from '../../config/report/did-you-mean.js'
import type { NodeSettings } from '../../graph/graph.js'
import { commandError } from '../../observe/command-errors.js'
import { cutText } from '../../plugin/cut-text.js'
import type { Command, Json, Logger } from '../../plugin/contract.js'
import type { Clock } from '../../plugin/tokens.js'
import { boundedJson } from './bounded-json.js'
import type { NodeCalls } from './node-calls.js'
import { withTimeout } from './time-limit.js'

/** From the request to the answer, with the wait for its turn. */
const ANSWER_WITHIN_MS = 10_000
/** One that has run for this long never ends: the next one has its turn. */
const HANGS_AFTER_MS = 60_000
/** Running or waiting for their turn. */
const MOST_PENDING = 8
/** What they hold is lost until they end. */
const MOST_HUNG = 8
const MOST_PROBLEMS = 20
/** As JSON, in UTF-16 code units. */
const MAX_ANSWER_LENGTH = 64 * 1024
const MAX_LOGGED_LENGTH = 1000

export interface CommandedNode {
  readonly id: string
  readonly settings: NodeSettings
  readonly log: Logger
  readonly calls: Pick<NodeCalls, 'call'>
  /** What the plugin has opened. */
  readonly node: AsyncDisposable | undefined
}

export interface CommandServices {
  readonly clock: Clock
  mask(text: string): string
}

interface Request {
  readonly name: string
  readonly command: Command
  readonly input: unknown
  /** Whoever asked has been told that it takes too long. */
  isOver: boolean
}

/** Of one opened node. */
interface Queue {
  /** Never rejects. */
  last: Promise<unknown>
  pending: number
  /** Those that hang still. */
  hung: number
  /** The command that runs. */
  running: string
}

export class NodeCommands {
  readonly #node: CommandedNode
  readonly #services: CommandServices
  #queue = makeQueue()

  constructor(node: CommandedNode, services: CommandServices) {
    this.#node = node
    this.#services = services
  }

  /** The node that was open is gone, and so is its turn. */
  reset(): void {
    this.#queue = makeQueue()
  }

  /** Rejects with an error of `commandError`, or with the EngineError that the command has thrown. */
  async run(name: string, given: unknown): Promise<Json> {
    const { log, settings } = this.#node
    const { mask } = this.#services
    const command = commandOf(settings, name)
    const input = this.#checked(name, command, given)
    const logged = { command: name, input: cutText(mask(jsonOf(input)), MAX_LOGGED_LENGTH) }
    try {
      const result = await this.#inTurn({ name, command, input, isOver: false })
      log.info({ ...logged, result: cutText(mask(jsonOf(result)), MAX_LOGGED_LENGTH) }, 'a command was carried out')
      return result
    } catch (error) {
      const why = cutText(mask(messageOf(error)))
      if (isEngineError(error) && error.row.reaction !== 'bug') log.warn({ ...logged, why }, 'a command was refused')
      else log.error({ ...logged, err: error }, `a command failed: ${why}`)
      throw this.#masked(error)
    }
  }

  #checked(name: string, command: Command, given: unknown): unknown {
    try {
      return this.#node.calls.call(() => checkInput(name, command, given))
    } catch (error) {
      if (isEngineError(error)) throw error
      throw commandError('COMMAND_FAILED', messageOf(error), { cause: error, at: this.#node.id })
    }
  }

  /** An error of a plugin can quote its options, and have any length. */
  #masked(error: unknown): unknown {
    if (!isEngineError(error)) return error
    const message = cutText(this.#services.mask(error.message))
    return message === error.message ? error : new EngineError(error.code, error.row, message)
  }

  async #inTurn(request: Request): Promise<Json> {
    const queue = this.#queue
    const { name } = request
    if (this.#node.node === undefined) throw this.#closed()
    if (queue.pending >= MOST_PENDING) {
      throw commandError('COMMAND_BUSY', `${queue.pending} commands of ${this.#node.id} are waiting`)
    }
    if (queue.hung >= MOST_HUNG) {
      throw commandError('COMMAND_BUSY', `${queue.hung} commands of ${this.#node.id} hang: restart it`)
    }
    queue.pending++
    const before = queue.last
    const turn = before.then(() => this.#execute(request, queue))
    queue.last = before.then(() => this.#untilHung(turn, name, queue)).finally(() => void queue.pending--)
    return withTimeout(turn, ANSWER_WITHIN_MS, this.#services.clock, () => {
      request.isOver = true
      const what = queue.running === name || queue.running === '' ? 'is not finished' : `waits for "${queue.running}"`
      return commandError('COMMAND_TIMEOUT', `command "${name}" ${what} after ${ANSWER_WITHIN_MS / 1000} s`)
    })
  }

  /** Never rejects. */
  async #untilHung(turn: Promise<Json>, command: string, queue: Queue): Promise<void> {
    const hangs = (): Error => {
      queue.hung++
      const ended = (): void => void queue.hung--
      turn.then(ended, ended)
      this.#node.log.error({ command }, 'a command hangs: the next one runs beside it')
      return new Error('it hangs')
    }
    await withTimeout(turn, HANGS_AFTER_MS, this.#services.clock, hangs).catch(() => undefined)
  }

  async #execute({ name, command, input, isOver }: Request, queue: Queue): Promise<Json> {
    const { calls, node } = this.#node
    if (node === undefined || queue !== this.#queue) throw this.#closed()
    // Nobody waits for it any more.
    if (isOver) return null
    queue.running = name
    try {
      return this.#answerOf((await calls.call(() => command.run(node, input))) ?? null)
    } catch (error) {
      if (isEngineError(error)) throw error
      throw commandError('COMMAND_FAILED', messageOf(error), { cause: error, at: this.#node.id })
    } finally {
      if (queue.running === name) queue.running = ''
    }
  }

  /** A copy that shares nothing with the node, without secrets. */
  #answerOf(value: unknown): Json {
    const { mask } = this.#services
    const answer = boundedJson(value, { most: MAX_ANSWER_LENGTH, tooLong: 'its answer is longer than', mask })
    if (answer === undefined) throw new TypeError('its answer is not JSON')
    return answer
  }

  #closed(): Error {
    return commandError('COMMAND_NODE_CLOSED', `${this.#node.id} is not open`)
  }
}

function makeQueue(): Queue {
  return { last: Promise.resolve(), pending: 0, hung: 0, running: '' }
}

function commandOf({ definition: { kind, type, commands = {} } }: NodeSettings, name: string): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command !== undefined) return command
  const help = didYouMean(name, Object.keys(commands), 'its commands') ?? 'it has no commands'
  throw commandError('COMMAND_UNKNOWN', `${kind} ${type} has no command "${name}": ${help}`)
}

/** Every problem of the input in one message. */
function checkInput(name: string, { input }: Command, given: unknown): unknown {
  const checked = input.safeParse(given)
  if (checked.success) return checked.data
  const problems = checked.error.issues.map(({ path, message }) => `${path.join('.') || 'the input'}: ${message}`)
  const more = problems.length > MOST_PROBLEMS ? `; and ${problems.length - MOST_PROBLEMS} more` : ''
  throw commandError('COMMAND_INPUT', `command "${name}": ${problems.slice(0, MOST_PROBLEMS).join('; ')}${more}`)
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}
