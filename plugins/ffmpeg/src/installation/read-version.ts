// The version of FFmpeg, as the first line of `ffmpeg -version` says it: `5.1.9-0+deb12u1`, `n7.1`, `N-12345-gabcdef`.

/** Release of 2022. Older ones no longer receive the mends of their demuxers. */
const OLDEST = 5

export function readVersion(text: string): string | undefined {
  return /^ffmpeg version (\S{1,100})/m.exec(text)?.[1]
}

/** A build without a number of a release is not known to be old. */
export function isOldVersion(version: string): boolean {
  const major = Number(/^n?(\d+)\./.exec(version)?.[1])
  return Number.isFinite(major) && major < OLDEST
}
