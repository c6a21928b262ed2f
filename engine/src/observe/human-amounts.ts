// Numbers for people: short, with a unit, rounded.

const KILO = 1000
const RATE_UNITS = ['b/s', 'kb/s', 'Mb/s', 'Gb/s'] as const

/** `4.20 Mb/s`. */
export function renderBitRate(bitsPerSecond: number): string {
  let value = Math.max(bitsPerSecond, 0)
  let unit = 0
  while (value >= KILO && unit < RATE_UNITS.length - 1) {
    value /= KILO
    unit++
  }
  return `${unit === 0 ? Math.round(value) : value.toPrecision(3)} ${RATE_UNITS[unit]}`
}

/** `4.20 MB`. */
export function renderBytes(bytes: number): string {
  return renderBitRate(bytes).replace(/b\/s$/, 'B')
}

/** `12s`, `3m 4s`, `2h 3m`, `5d 6h`. */
export function renderUptime(seconds: number): string {
  const whole = Math.max(Math.floor(seconds), 0)
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ]
  if (days > 0) return `${days}d ${hours}h`
  if (hours > 0) return `${hours}h ${minutes}m`
  return minutes > 0 ? `${minutes}m ${whole % 60}s` : `${whole}s`
}
