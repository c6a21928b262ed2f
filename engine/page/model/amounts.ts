// Figures in few cells.

/** Megabits per second: `6.24`, `178`. */
export function megabits(bitsPerSecond: number): string {
  const value = bitsPerSecond / 1e6
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)
}

/** `950k`, `10.2M`, `1.2G`. */
export function shortBits(bitsPerSecond: number): string {
  return shortAmount(bitsPerSecond, 1000)
}

/** `212M`: units of 1024. */
export function shortBytes(bytes: number): string {
  return shortAmount(bytes, 1024)
}

function shortAmount(value: number, unit: number): string {
  const units = ['', 'k', 'M', 'G', 'T']
  let [rest, at] = [value, 0]
  while (rest >= unit * 0.9995 && at < units.length - 1) [rest, at] = [rest / unit, at + 1]
  const digits = at === 0 || rest >= 99.95 ? 0 : 1
  return `${rest.toFixed(digits)}${units[at] ?? ''}`
}

/** `42s`, `4m12s`, `3h12m`, `2d4h`. */
export function shortSpan(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60]
  if (days > 0) return `${days}d${hours}h`
  if (hours > 0) return `${hours}h${String(minutes).padStart(2, '0')}m`
  if (minutes > 0) return `${minutes}m${String(whole % 60).padStart(2, '0')}s`
  return `${whole}s`
}

/** Local time of day, `12:31:04`. */
export function clockTime(unixMs: number): string {
  if (!Number.isFinite(unixMs)) return '--:--:--'
  const date = new Date(unixMs)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}
