// `engine probe URL|FILE|-`: checks an HLS presentation against the rules, over time.
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { DURATION_UNITS, parseAmount } from '../../plugin/amounts.js'
import type { ProbeFailure, ProbeOptions, ProbeReport } from '../../probe/probe-report.js'
import { printable } from '../../observe/printable.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import type { SecretInput } from '../read-secret.js'
import { renderJsonText } from '../render-json-text.js'
import { renderProbe } from '../render-probe.js'
import { styleFor } from '../terminal-style.js'
import type { Verb, VerbContext } from '../verb.js'

interface ProbeVerbOptions extends JsonOption {
  /** A duration. */
  readonly for: string
  readonly segments: string
}

const MAX_FILE_BYTES = 16 * 1024 * 1024
const LONGEST_MS = 24 * 3600 * 1000
const MAX_SEGMENTS = 100_000
const ONLY_PLAYLISTS = 'only HLS playlists can be checked yet'

export const probeVerb = {
  declare(program: Command): Command {
    const command = program
      .command('probe')
      .description('check an HLS playlist, and all that it leads to, against the rules; exit 1 if a must is broken')
      .argument('<url>', 'URL of a playlist; or the text of one: a file, or - for stdin')
      .option('--for <duration>', 'how long to watch live playlists', '10s')
      .option('--segments <number>', 'read at most this many segments of each media playlist', '10')
    return addJsonOption(command)
  },
  async run(
    { streams, folder, input }: Pick<VerbContext, 'streams' | 'folder' | 'input'>,
    target: string,
    options: ProbeVerbOptions,
  ) {
    const { out, err, env } = streams
    const watchMs = parseAmount(options.for, DURATION_UNITS)
    const segments = /^\d{1,6}$/.test(options.segments) ? Number(options.segments) : NaN
    const isUsable = watchMs !== undefined && watchMs <= LONGEST_MS && segments <= MAX_SEGMENTS
    if (!isUsable) {
      err.write('error: --for takes a duration of at most 24h, and --segments a number of at most 100000\n')
      return EXIT.usage
    }
    const report = await probe(target, { watchMs, segments }, folder, input)
    if ('why' in report) {
      const hint = report.isOther ? `; ${ONLY_PLAYLISTS}` : ''
      err.write(`error: ${printable(withoutCredentials(target))}: ${printable(report.why)}${hint}\n`)
      return report.isOther ? EXIT.usage : EXIT.failed
    }
    out.write(options.json === true ? renderJsonText(report) : renderProbe(report, styleFor(out, env)))
    return report.findings.some((finding) => finding.class === 'must') ? EXIT.failed : EXIT.ok
  },
} satisfies Verb

async function probe(
  target: string,
  options: ProbeOptions,
  folder: string,
  input: () => SecretInput,
): Promise<ProbeReport | ProbeFailure> {
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) {
    const { probeText } = await import('../../probe/probe-text.js')
    const bytes = target === '-' ? await readPipe(input()) : await readFile(resolve(folder, target))
    return bytes instanceof Uint8Array ? probeText(bytes, target) : bytes
  }
  const { FetchClient } = await import('../../probe/http-client.js')
  const { probePlaylist } = await import('../../probe/probe-playlist.js')
  const clock = { nowMs: () => performance.now(), sleep: async (ms: number) => sleep(ms) }
  return probePlaylist(withoutCredentials(target), options, new FetchClient(new URL(target)), clock)
}

async function readPipe(input: SecretInput): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of input) {
    parts.push(typeof part === 'string' ? Buffer.from(part) : part)
    length += part.length
    if (length > MAX_FILE_BYTES) break
  }
  return Buffer.concat(parts).subarray(0, MAX_FILE_BYTES)
}

async function readFile(path: string): Promise<Uint8Array | ProbeFailure> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    const bytes = Buffer.alloc(Math.min(size, MAX_FILE_BYTES))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    return bytes.subarray(0, bytesRead)
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error), isOther: false }
  }
}

/** fetch refuses URLs that have them, and nobody should read them. */
function withoutCredentials(target: string): string {
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) return target
  const url = new URL(target)
  url.username = ''
  url.password = ''
  return url.href
}
