// `engine tap NODE`: what leaves a node, as it is, or in words.
import { type Command, Option } from 'commander'
import { DURATION_UNITS, parseAmount } from '../../plugin/amounts.js'
import { printable } from '../../observe/printable.js'
import { addApiOption } from '../api-option.js'
import type { ApiOption } from '../api-option.js'
import { type BinaryStream, drained, type TextStream } from '../cli-streams.js'
import { EXIT } from '../exit-codes.js'
import type { TapReport } from '../read-tap.js'
import { nodePath } from '../node-path.js'
import { hexLine, TapPackets, TapSummary } from '../tap-text.js'
import type { Verb, VerbContext } from '../verb.js'

interface TapOptions extends ApiOption {
  readonly as: 'summary' | 'ts' | 'hex'
  readonly for: string
  readonly port?: string
}

const LONGEST_S = 3600

export const tapVerb = {
  declare(program: Command): Command {
    const command = program
      .command('tap')
      .description('show what leaves a node of a running engine; nobody waits for it, and what it loses is reported')
      .argument('<node>', 'id of the node: pipeline/node')
      .addOption(
        new Option('--as <form>', 'summary, ts (byte for byte, to stdout) or hex (a packet per line)')
          .choices(['summary', 'ts', 'hex'])
          .default('summary'),
      )
      .option('--for <duration>', 'how long, from 1s to 1h', '10s')
      .option('--port <name>', 'port of the node, if it has several')
    return addApiOption(command)
  },
  /** 0, 1 refused or something was lost, 2 usage, 69 not reachable. */
  async run(
    { streams, folder }: Pick<VerbContext, 'streams' | 'folder'>,
    node: string,
    { api, as, for: duration, port }: TapOptions,
  ) {
    const { out, err } = streams
    const path = nodePath(node)
    const forMs = parseAmount(duration, DURATION_UNITS) ?? 0
    const seconds = Math.round(forMs / 1000)
    if (path === undefined || seconds < 1 || seconds > LONGEST_S) {
      err.write('error: a tap needs the id of a node, pipeline/node, and --for with a duration from 1s to 1h\n')
      return EXIT.usage
    }
    if (as === 'ts' && out.isTTY === true) {
      err.write('error: a stream is not for a terminal: send it to a file or a program\n')
      return EXIT.usage
    }
    const { findEngine } = await import('../ask-engine.js')
    const { readTap } = await import('../read-tap.js')
    const target = await findEngine(streams, { api, folder }, true)
    if (typeof target === 'number') return target
    const query = new URLSearchParams({ seconds: String(seconds), ...(port === undefined ? {} : { port }) })
    const view = new TapView(as, out)
    const {
      why,
      isRefused = false,
      sent,
    } = await readTap(target, `${path}/tap?${query.toString()}`, (bytes) => view.take(bytes))
    if (why !== undefined) {
      err.write(printable(`error: ${why}\n`))
      return isRefused ? EXIT.failed : EXIT.unreachable
    }
    view.finish()
    return reportLoss(sent, err)
  },
} satisfies Verb

/** The exit code. */
function reportLoss(sent: TapReport['sent'], err: TextStream): number {
  if (sent === undefined) err.write('the connection ended before the tap did\n')
  else if (sent.lostChunks > 0)
    err.write(`lost ${sent.lostChunks} chunks, ${sent.lostBytes} bytes: the reader was too slow\n`)
  return sent === undefined || sent.lostChunks > 0 ? EXIT.failed : EXIT.ok
}

class TapView {
  readonly #as: TapOptions['as']
  readonly #out: BinaryStream
  readonly #packets = new TapPackets()
  readonly #summary = new TapSummary()
  readonly #startedMs = performance.now()

  constructor(as: TapOptions['as'], out: BinaryStream) {
    this.#as = as
    this.#out = out
  }

  /** False if nobody reads the output any more. */
  async take(bytes: Uint8Array): Promise<boolean> {
    if (this.#as === 'ts') return this.#write(bytes)
    let text = ''
    this.#packets.push(bytes, (packet) => {
      if (this.#as === 'hex') text += hexLine(packet)
      else this.#summary.note(packet)
    })
    return text === '' || this.#write(text)
  }

  finish(): void {
    if (this.#as === 'summary') this.#out.write(this.#summary.render((performance.now() - this.#startedMs) / 1000))
  }

  async #write(data: string | Uint8Array): Promise<boolean> {
    const out = this.#out
    out.write(data)
    await drained(out)
    return out.destroyed !== true && (out.errored ?? null) === null
  }
}
