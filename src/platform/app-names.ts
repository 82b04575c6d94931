const ADJECTIVES = [
  'aged ancient autumn billowing bitter bold brave bright broad calm cold cool crimson curly damp dark dawn deep',
  'delicate dry early fair falling fancy flat floral fragrant frosty gentle glad golden green hidden icy jolly',
  'late lingering little lively long lucky mellow misty morning muddy mute nameless narrow noble odd old orange',
  'patient plain polished proud purple quiet rapid restless rough round royal rugged salty shiny shy silent small',
  'snowy soft solitary sparkling spring square steep still summer sweet swift tall tight tiny twilight wandering',
  'warm weathered white wild winter wispy young',
].flatMap((line) => line.split(' '));

const NOUNS = [
  'badger bar base bay beach bear bird block boat bonus bread breeze brook brush bush butterfly cabin cake cell',
  'cherry cliff cloud coast creek dawn dew disk dream dune dust eagle feather fern field fire firefly flower fog',
  'forest fox frog frost garden glade glitter grass grove hall harbor hat haze heart heron hill island lab lake',
  'leaf lichen limit meadow moon morning moss mountain mouse oak ocean otter owl paper path pebble pine plain',
  'pond rain reef resonance rice ridge river sea shadow shape silence sky smoke snow snowflake sound spruce star',
  'stone sun sunset surf swan term thunder tide trail tree truth valley vale violet voice water wave willow wind',
].flatMap((line) => line.split(' '));

/**
 * `misty-otter-48213`: what an app is called that came without a name.
 * @param random three numbers in [0, 1)
 */
export function randomAppName(random: readonly [number, number, number]): string {
  const pick = (words: readonly string[], at: number) => words[Math.floor(at * words.length)] ?? words[0];
  const digits = String(Math.floor(random[2] * 100_000)).padStart(5, '0');
  return `${pick(ADJECTIVES, random[0])}-${pick(NOUNS, random[1])}-${digits}`;
}
