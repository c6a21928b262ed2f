// Times and amounts as the page shows and says them.

/** `0:07`, `12:30`, `1:02:03`. */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const tail = String(rest).padStart(2, '0')
  return hours === 0 ? `${minutes}:${tail}` : `${hours}:${String(minutes).padStart(2, '0')}:${tail}`
}

/** For people who hear it: `1 minute 5 seconds`. */
export function spokenText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const parts = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second'],
  ] as const
  const named = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`)
  return named.length === 0 ? '0 seconds' : named.join(' ')
}

/** `6.2 s`; from a minute on as a clock. */
export function secondsText(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return '–'
  return seconds < 60 ? `${Math.max(0, seconds).toFixed(1)} s` : clockText(seconds)
}

/** `850 kb/s`, `4.2 Mb/s`. */
export function rateText(bitsPerSecond: number | undefined): string {
  if (bitsPerSecond === undefined || bitsPerSecond <= 0) return '–'
  return bitsPerSecond < 1e6 ? `${Math.round(bitsPerSecond / 1e3)} kb/s` : `${(bitsPerSecond / 1e6).toFixed(1)} Mb/s`
}
