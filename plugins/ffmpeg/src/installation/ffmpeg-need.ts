// What a node needs of FFmpeg: for `programs` of its definition, so that `engine check` and `engine doctor` say what is
// missing, and for finding the program when the node starts.
import { createRequire } from 'node:module'
import process from 'node:process'
import type { AskProgram, Processes, ProgramNeed, ProgramReport } from '@millrace/engine/plugin'
import { namesInListing } from './names-in-listing.js'
import { isOldVersion, readVersion } from './read-version.js'

const INSTALL = 'apt-get install ffmpeg (Debian, Ubuntu), apk add ffmpeg (Alpine), brew install ffmpeg (macOS)'

/** Packages whose own files hold a program; those that download it in an install script are found in the same place. */
const PACKAGED = [`@ffmpeg-installer/${process.platform}-${process.arch}/ffmpeg`, 'ffmpeg-static/ffmpeg']

/** Names as `ffmpeg -encoders` and the like list them. By default none. */
export interface FfmpegNeeds {
  readonly encoders?: readonly string[]
  readonly decoders?: readonly string[]
  readonly filters?: readonly string[]
  readonly muxers?: readonly string[]
  readonly demuxers?: readonly string[]
}

const LISTS = { encoders: 'encoder', decoders: 'decoder', filters: 'filter', muxers: 'muxer', demuxers: 'demuxer' }

/** For `programs` of a definition. */
export function requireFfmpeg(needs: FfmpegNeeds = {}): readonly ProgramNeed[] {
  return [{ program: 'ffmpeg', elsewhere: packagedFiles(), install: INSTALL, examine: (ask) => examine(ask, needs) }]
}

/** The path to start; the name alone if it is not there, so that the start says so. Looks on disk. */
export function findFfmpeg(processes: Pick<Processes, 'find'>): string {
  return processes.find({ program: 'ffmpeg', elsewhere: packagedFiles() }) ?? 'ffmpeg'
}

/** `from`: a file for which the packages are installed. */
export function packagedFiles(from: string | URL = import.meta.url): readonly string[] {
  const { resolve } = createRequire(from)
  return PACKAGED.flatMap((name) => {
    try {
      return [resolve(name)]
    } catch {
      return []
    }
  })
}

async function examine(ask: AskProgram, needs: FfmpegNeeds): Promise<ProgramReport> {
  const version = readVersion((await ask(['-hide_banner', '-version'])) ?? '')
  if (version === undefined) {
    const help = 'run it by hand with -version; `engine.ffmpeg` names another one'
    return { version: '', lacks: [{ what: 'does not say which version of FFmpeg it is', help }] }
  }
  const lacks: { what: string; help: string }[] = []
  for (const [list, noun] of Object.entries(LISTS)) {
    const wanted = needs[list as keyof FfmpegNeeds] ?? []
    if (wanted.length === 0) continue
    const text = await ask(['-hide_banner', `-${list}`])
    const names = namesInListing(text ?? '')
    const help = `install a build of FFmpeg that has it (ffmpeg -${list}), or change the options of the node`
    for (const name of wanted) if (!names.has(name)) lacks.push({ what: `has no ${noun} ${name}`, help })
  }
  const remarks = isOldVersion(version)
    ? [`FFmpeg ${version} is old: do not use it for streams that you do not trust`]
    : []
  return { version, lacks, remarks }
}
