// Writes segments to a disk, one after the other. When the disk refuses one, or cannot be prepared, it is told once, the
// segments wait in memory, and the writer tries again until the disk takes them. Where the memory has no room for them, or
// the source has removed their files meanwhile, their files are lost, and the index says that they are gaps.
import type { MediaFolder } from '@millrace/engine/plugin'
import type { HeldMedia } from './held-media.js'
import { INDEX_FILE } from './period.js'

/** A segment of all renditions. */
export interface WriteJob {
  readonly sequence: number
  /** The folder of its time. */
  readonly period: string
  readonly files: readonly JobFile[]
  /** What the index says of it. */
  readonly lines: string
  /** What it says if the files are lost. */
  readonly gap: string
  /** It is on the disk, index included. */
  onStored(): void
}

interface JobFile {
  readonly name: string
  readonly media: HeldMedia
}

export interface WriterHost {
  /** Where it writes now. */
  readonly folder: MediaFolder
  /** Files of this name may be there already. */
  readonly source?: MediaFolder | undefined
  nowMs(): number
  /** Comes before all writing, again and again until it resolves. */
  prepare(): Promise<void>
  /** Undefined: the disk takes segments again. */
  onProblem(problem: string | undefined): void
}

const RETRY_MS = 5000
/** With those without files: half a day of them. */
const MOST_JOBS = 20_000

export class DiskWriter {
  readonly #host: WriterHost
  readonly #jobs: WriteJob[] = []
  #running: Promise<void> | undefined
  /** Is being written. */
  #busy: WriteJob | undefined
  #problem: string | undefined
  #retryAtMs = 0
  #isPrepared = false

  constructor(host: WriterHost) {
    this.#host = host
  }

  /** Segments that are not on the disk yet, and gaps that its index does not have yet. */
  get waiting(): number {
    return this.#jobs.length
  }

  /** To another host, which knows nothing of it yet. */
  tellAgain(): void {
    if (this.#problem !== undefined) this.#host.onProblem(this.#problem)
  }

  /** The job holds its media. */
  add(job: WriteJob): void {
    this.#jobs.push(job)
    this.#start()
  }

  /** Call it now and then: it tries again. */
  tick(): void {
    if (this.#host.nowMs() >= this.#retryAtMs) this.#start()
  }

  /**
   * Gives up the files of the oldest segment that is not on the disk, and returns it; rather not those of the one that is
   * being written. Undefined: none of them would free memory.
   */
  loseOldest(): WriteJob | undefined {
    const freesMemory = (job: WriteJob): boolean => job.files.some(({ media }) => media.isFreeOnRelease)
    const oldest = this.#jobs.find((job) => job !== this.#busy && freesMemory(job))
    const job = oldest ?? this.#jobs.find(freesMemory)
    if (job !== undefined) this.#lose(job)
    return job
  }

  /** Gives up what has not been written. */
  close(): void {
    for (const { files } of this.#jobs.splice(0)) for (const { media } of files) media.release()
  }

  /** Resolves when all has been written, or the disk refuses it. Never rejects. */
  async settled(): Promise<void> {
    this.#retryAtMs = 0
    this.#start()
    await this.#running
  }

  #start(): void {
    const isIdle = this.#isPrepared && this.#jobs.length === 0
    if (this.#running !== undefined || isIdle || this.#host.nowMs() < this.#retryAtMs) return
    this.#running = this.#run().finally(() => (this.#running = undefined))
  }

  async #run(): Promise<void> {
    if (!this.#isPrepared && !(await this.#prepare())) return
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      try {
        this.#busy = job
        await this.#write(job)
      } catch (error) {
        // One that was given up has no bytes any more.
        if (this.#jobs[0] !== job) continue
        this.#fail(error)
        if (!(await this.#isGone(job))) return
        if (this.#jobs[0] === job) this.#lose(job)
        continue
      } finally {
        this.#busy = undefined
      }
      this.#tell(undefined)
      if (this.#jobs[0] !== job) continue
      this.#jobs.shift()
      this.#finish(job)
    }
  }

  /** A gap is written in its place. */
  #lose(job: WriteJob): void {
    const at = this.#jobs.indexOf(job)
    if (at < 0) return
    this.#jobs[at] = { ...job, files: [], lines: job.gap, onStored: () => undefined }
    for (const { media } of job.files) media.release()
    if (this.#jobs.length <= MOST_JOBS) return
    const oldest = this.#jobs.findIndex((each) => each !== this.#busy && each.files.length === 0)
    this.#jobs.splice(oldest, 1)
  }

  /** Nobody has its bytes any more: the source keeps files for a while only. */
  async #isGone({ period, files }: WriteJob): Promise<boolean> {
    const { source } = this.#host
    for (const { name, media } of files) {
      if (media.isInMemory) continue
      const found = await source?.size(`${period}/${name}`).catch(() => 0)
      if (found === undefined) return true
    }
    return false
  }

  async #prepare(): Promise<boolean> {
    try {
      await this.#host.prepare()
    } catch (error) {
      this.#fail(error)
      return false
    }
    this.#isPrepared = true
    this.#tell(undefined)
    return true
  }

  #finish({ files, onStored }: WriteJob): void {
    try {
      onStored()
    } catch (error) {
      // The segment is on the disk: the next one is written all the same.
      this.#tell(messageOf(error))
    }
    for (const { media } of files) media.release()
  }

  #fail(error: unknown): void {
    this.#retryAtMs = this.#host.nowMs() + RETRY_MS
    this.#tell(messageOf(error))
  }

  async #write({ period, files, lines }: WriteJob): Promise<void> {
    const { folder, source } = this.#host
    for (const { name, media } of files) {
      const path = `${period}/${name}`
      if (source === undefined || !(await isAdopted(folder, path, source))) await folder.write(path, media)
      media.setStored(folder.media(path, media.length))
    }
    await folder.append(`${period}/${INDEX_FILE}`, new TextEncoder().encode(lines))
  }

  #tell(problem: string | undefined): void {
    if ((problem === undefined) === (this.#problem === undefined)) return
    this.#problem = problem
    this.#host.onProblem(problem)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** False: it is not there, or cannot be shared; then it is written. */
async function isAdopted(folder: MediaFolder, path: string, source: MediaFolder): Promise<boolean> {
  try {
    await folder.adopt(path, source)
    return true
  } catch {
    return false
  }
}
