// Checks what is behind a URL: a media playlist, or a multivariant playlist with all media playlists that it names.
import { attributeOf, checkBitrates, checkPresentation, checkTls, FindingList, isVideo } from '@millrace/media/hls'
import type { DeclaredFormats, MultivariantPlaylist, Variant } from '@millrace/media/hls'
import type { HttpClient } from './http-client.js'
import { loadPlaylist } from './load-playlist.js'
import type { LoadedPlaylist } from './load-playlist.js'
import { MediaProbe } from './media-probe.js'
import type { MediaSource } from './media-probe.js'
import type { ProbeClock, ProbedPlaylist, ProbeFailure, ProbeOptions, ProbeReport, ProbeState } from './probe-report.js'
import { resolveUrl } from './resolve-url.js'
import { Turns } from './turns.js'

/** More are not watched. */
const MAX_PLAYLISTS = 32
/** Segments that are in memory at the same time. */
const DOWNLOADS = 4

/** Never throws for what a server answers. */
export async function probePlaylist(
  url: string,
  options: ProbeOptions,
  http: HttpClient,
  clock: ProbeClock,
): Promise<ProbeReport | ProbeFailure> {
  const startedMs = clock.nowMs()
  const root = await loadPlaylist(http, url, () => clock.nowMs())
  if ('why' in root) return root
  const state: ProbeState = { findings: new FindingList(), clock, options, turns: new Turns(DOWNLOADS) }
  const name = nameOf(url)
  const untilMs = startedMs + options.watchMs
  const { playlist } = root
  state.findings.add(name, checkTls(root.url))
  if (playlist.kind === 'multivariant') {
    const probes = await probePresentation({ http, state, root, name, untilMs }, playlist)
    return reportOf('multivariant', probes, state)
  }
  const isVideoOnly: ProbedPlaylist['role'] = playlist.isIFramesOnly ? 'i-frames' : 'video'
  const source: MediaSource = { url, name, role: isVideoOnly, declared: { codecs: undefined }, areIndependent: false }
  const probe = new MediaProbe(http, state, source)
  probe.take(root, startedMs)
  await probe.watch(untilMs)
  return reportOf('media', [probe], state)
}

interface Presentation {
  readonly http: HttpClient
  readonly state: ProbeState
  readonly root: LoadedPlaylist
  readonly name: string
  readonly untilMs: number
}

async function probePresentation(
  { http, state, root, name, untilMs }: Presentation,
  playlist: MultivariantPlaylist,
): Promise<readonly MediaProbe[]> {
  const { findings } = state
  findings.add(name, root.findings)
  const probes = listSources(playlist, root.url).map((source) => new MediaProbe(http, state, source))
  await Promise.all(probes.map((probe) => probe.load()))
  const compare = () => findings.add(name, checkPresentation(playlist, probes.flatMap(presented)))
  compare()
  await Promise.all(probes.map((probe) => probe.watch(untilMs)))
  compare()
  for (const variant of playlist.variants) {
    const measured = partsOf(variant, playlist, root.url, probes).map(({ reader }) => reader.bitrates)
    findings.add(variant.uri, checkBitrates(variant, measured, probes.every(isWhole)))
  }
  return probes
}

/** Each media playlist once, as the first that names it says. */
function listSources(playlist: MultivariantPlaylist, base: string): readonly MediaSource[] {
  const { variants, renditions, iFrameVariants, areIndependent } = playlist
  const sources = new Map<string, MediaSource>()
  const add = ({ uri }: Variant, role: ProbedPlaylist['role'], declared: DeclaredFormats = { codecs: undefined }) => {
    const url = uri === '' ? undefined : resolveUrl(uri, base)
    if (url === undefined || sources.has(url) || sources.size === MAX_PLAYLISTS) return
    sources.set(url, { url, name: uri, role, declared, areIndependent })
  }
  for (const variant of variants) add(variant, isVideo(variant) ? 'video' : 'audio', declaredBy(variant))
  for (const rendition of renditions) {
    const type = attributeOf(rendition, 'TYPE')
    const group = attributeOf(rendition, 'GROUP-ID')
    const variant = variants.find((one) => type !== undefined && attributeOf(one, type) === group)
    const codecs = variant && attributeOf(variant, 'CODECS')
    const role = type === 'AUDIO' ? 'audio' : type === 'SUBTITLES' ? 'subtitles' : 'video'
    add(rendition, role, { codecs, isPart: true })
  }
  for (const variant of iFrameVariants) add(variant, 'i-frames')
  return [...sources.values()]
}

function declaredBy(variant: Variant): DeclaredFormats {
  return {
    codecs: attributeOf(variant, 'CODECS'),
    resolution: attributeOf(variant, 'RESOLUTION'),
    hasNoCaptions: attributeOf(variant, 'CLOSED-CAPTIONS') === 'NONE',
  }
}

/** All segments of a playlist that has ended have been read. */
function isWhole({ playlist, reader }: MediaProbe): boolean {
  return playlist?.hasEnded === true && reader.read === playlist.segments.length
}

function presented({ source: { name, role }, playlist }: MediaProbe) {
  return playlist === undefined ? [] : [{ name, role, playlist }]
}

/** The playlists that are played together: that of the variant, and the largest audio of its group. */
function partsOf(
  variant: Variant,
  { renditions }: MultivariantPlaylist,
  base: string,
  probes: readonly MediaProbe[],
): readonly MediaProbe[] {
  const find = (uri: string) => probes.find(({ source }) => source.url === resolveUrl(uri, base))
  const group = attributeOf(variant, 'AUDIO')
  const audio = renditions
    .filter((one) => attributeOf(one, 'TYPE') === 'AUDIO' && attributeOf(one, 'GROUP-ID') === group && one.uri !== '')
    .flatMap(({ uri }) => find(uri) ?? [])
    .sort((a, b) => b.reader.bitrates.peak - a.reader.bitrates.peak)
  const main = find(variant.uri)
  return [...(main === undefined ? [] : [main]), ...audio.filter((probe) => probe !== main).slice(0, 1)]
}

function reportOf(kind: ProbeReport['kind'], probes: readonly MediaProbe[], { findings }: ProbeState): ProbeReport {
  return { kind, playlists: probes.map((probe) => probe.summary()), findings: findings.list() }
}

/** The last part of the path. */
function nameOf(url: string): string {
  return new URL(url).pathname.split('/').at(-1) || '/'
}
