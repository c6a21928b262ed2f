// Checks texts from a client as if they were the files of the running engine: with its variables, secrets and plugins.
// The client must learn nothing beyond the configuration, so no file is read or looked up that the running
// configuration does not read, no module is executed that it does not execute, and variables that it does not name are
// absent.
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import type { CheckReport, CheckRequest } from '../observe/reload-report.js'
import { Problems } from '../config/report/diagnostic.js'
import { listAmong } from '../config/source/find-matches.js'
import type { Environment } from '../config/source/interpolate.js'
import type { LoadOptions } from '../config/load-config.js'
import { readEnvFiles } from '../config/source/read-env-file.js'
import type { Graph } from '../graph/graph.js'
import { discoverPlugins } from '../plugin/discover.js'
import type { DiscoverRequest } from '../plugin/discover.js'
import type { ConfigReader } from './config-reader.js'
import { planReload } from './plan-reload.js'
import { expectViewers } from './plan-viewers.js'
import { reportDiagnostics } from './reload-diagnostics.js'
import type { ReloadTarget } from './reload-target.js'

const WORD = /[A-Za-z_][A-Za-z0-9_]*/g
const EMPTY_FILE = 'version: 1\n'

export interface CheckConfigSettings {
  readonly target: Pick<ReloadTarget, 'graph' | 'viewersOf' | 'endingOf'>
  readonly reader: ConfigReader
  /** Texts of the running files, by absolute path. */
  texts(): ReadonlyMap<string, string>
}

/** Never rejects because of the contents of the texts. */
export async function checkConfig(request: CheckRequest, settings: CheckConfigSettings): Promise<CheckReport> {
  const { target, reader } = settings
  const { files, run = files.map(({ path }) => path), against = false } = request
  const names = placeFiles(request, reader.files)
  const texts = new Map(files.map(({ path, text }) => [names.get(path) ?? path, text]))
  const first = run.flatMap((path) => names.get(path) ?? [])
  const loaded = await reader.load(first, await restrict(settings, texts))
  const mask = target.graph.secrets
  const back = new Map([...names].map(([path, name]) => [name, path]))
  const diagnostics = reportDiagnostics(loaded.diagnostics).map(({ source, ...diagnostic }) => ({
    ...diagnostic,
    file: back.get(resolve(diagnostic.file)) ?? diagnostic.file,
    message: mask.mask(diagnostic.message),
    help: mask.mask(diagnostic.help),
    ...(source === undefined || mask.isIn(source) ? {} : { source }),
  }))
  const ok = loaded.graph !== undefined
  if (loaded.graph === undefined || !against) return { ok, diagnostics }
  return { diagnostics, ...compare(loaded.graph, target) }
}

function compare(next: Graph, target: CheckConfigSettings['target']): Omit<CheckReport, 'diagnostics'> {
  next.secrets.include(target.graph.secrets)
  const plan = planReload(target.graph, next)
  const viewers = expectViewers(
    plan,
    (node) => target.viewersOf(node),
    (node) => target.endingOf(node, next),
  )
  return { ok: plan.refusals.length === 0, plan, viewers: { before: viewers.kept + viewers.lost, ...viewers } }
}

/**
 * Maps each path in the request to the path that it stands for here: next to the running file of the same name, or next
 * to the first one, so that relative paths in it keep their meaning.
 */
function placeFiles({ files, run }: CheckRequest, running: readonly string[]): ReadonlyMap<string, string> {
  const first = run?.[0] ?? files[0]?.path ?? ''
  const same = running.find((name) => basename(name) === basename(first)) ?? running[0] ?? ''
  const [from, to] = [dirname(resolve('/', first)), dirname(resolve(same))]
  const place = (path: string): string => {
    const name = join(to, relative(from, resolve('/', path)))
    return isAbsolute(name) ? name : resolve(name)
  }
  return new Map(files.map(({ path }) => [path, place(path)]))
}

async function restrict(
  { reader, texts }: CheckConfigSettings,
  sent: ReadonlyMap<string, string>,
): Promise<LoadOptions> {
  const { envFiles = [], ...options } = reader.options
  const env = await readEnvFiles(envFiles ?? [], options.env, new Problems())
  const named = new Set([...texts().values(), ...(options.sets ?? [])].flatMap((text) => text.match(WORD) ?? []))
  const find = options.plugins ?? discoverPlugins
  const known = new Set(reader.sources)
  const otherNames = [...known].filter((path) => !texts().has(path))
  return {
    ...options,
    env: Object.fromEntries(Object.entries(env).filter(([name]) => named.has(name))) as Environment,
    contents: new SentTexts(sent, new Set(otherNames)),
    listFolder: listAmong(sent.keys()),
    allowsSecretFile: (path) => known.has(path),
    plugins: (request) => find({ ...request, yamlFiles: reader.files, plugins: knownPlugins(request, reader) }),
  }
}

/** Leaves out plugins whose modules this process has not executed. */
function knownPlugins({ plugins }: DiscoverRequest, reader: ConfigReader): DiscoverRequest['plugins'] {
  return plugins.filter(({ name, folder }) =>
    reader.plugins.some((known) => known.name === name && known.folder === folder),
  )
}

/** Looks files up by absolute path, and never lets one be read from disk. */
class SentTexts extends Map<string, string> {
  readonly #otherNames: ReadonlySet<string>

  /**
   * `otherNames`: paths by which the running configuration names files that it reads under another name; they are empty
   * here.
   */
  constructor(texts: ReadonlyMap<string, string>, otherNames: ReadonlySet<string>) {
    super(texts)
    this.#otherNames = otherNames
  }

  override has(_name: string): boolean {
    return true
  }

  override get(name: string): string {
    const path = resolve(name)
    const text = super.get(path)
    if (text !== undefined) return text
    if (this.#otherNames.has(path)) return EMPTY_FILE
    throw new Error('it is not among the files that were sent')
  }
}
