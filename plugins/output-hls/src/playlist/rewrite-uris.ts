// URIs of a playlist in another folder than that of the output: all of them are relative.

const GRANT_TO_FOLDER = '../'

/** `folder`: relative to the playlist, ends with a slash. All URIs lead into it. */
export function leadInto(text: string, folder: string): string {
  return mapLines(text, (line) =>
    isUri(line) ? `${folder}${line}` : line.replaceAll(/([,:]URI=")(?=[^"])/g, (_, before: string) => before + folder),
  )
}

/** Of a media playlist in the folder of a grant: the URIs of segments lead out of it, those in tags do not. */
export function leadMediaOut(text: string): string {
  return mapLines(text, (line) => (isUri(line) ? `${GRANT_TO_FOLDER}${line}` : line))
}

function isUri(line: string): boolean {
  return line !== '' && !line.startsWith('#')
}

function mapLines(text: string, map: (line: string) => string): string {
  return text.split('\n').map(map).join('\n')
}
