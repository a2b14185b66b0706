/* What customers of the simulated company say: parts of sentences, with alternatives in braces. */

/** All texts that a pattern of alternatives in braces can become: `{A|B} c` → `A c`, `B c`. */
export function expandPattern(pattern: string): string[] {
  const found = /\{([^{}]*)\}/.exec(pattern)
  if (!found) return [pattern]
  const { index } = found
  return found[1]
    .split('|')
    .flatMap((choice) =>
      expandPattern(pattern.slice(0, index) + choice + pattern.slice(index + found[0].length)),
    )
}

const all = (...patterns: string[]) => patterns.flatMap(expandPattern)

export const angry = all(
  '{Terrible|Awful|Horrible} {experience|service}',
  'I am {really|very} {angry|annoyed|frustrated}',
  'This is {unacceptable|a joke|ridiculous}',
  'Worst {service|provider} I have had in years',
  'Very {disappointed|disappointing}',
  'I have had enough',
)
export const leaving = all(
  '{I am|We are} looking for an alternative',
  'I will cancel if this {goes on|happens again}',
  'I {would not|cannot} recommend you to {anybody|anyone}',
  '{I am|We are} thinking about leaving',
)
export const disappointed = all(
  'Not {happy|satisfied|great}',
  'I expected {more|better}',
  '{Disappointing|Disappointed}',
  'It used to be better',
  'So-so at best',
)
export const fair = all(
  '{Good|Decent} {service|product} on the whole',
  'The {product|app} is {fine|okay|alright}',
  '{Mostly|Generally} satisfied',
  'I like the {product|app}',
  'It does what it should',
  'Decent value',
)
export const wishes = all(
  'A few more {features|reports|settings} would be nice',
  '{The app could|Could} be a bit faster',
  '{Some room|Room} for improvement',
  'Keep going',
)
export const happy = all(
  '{Great|Excellent|Fantastic|Outstanding} {service|product|company}',
  '{Very|Really|So} {happy|pleased|satisfied}',
  '{Love it|I love it}',
  '{Excellent|Brilliant|Perfect}',
  'Really good',
)
export const recommending = all(
  'I have already told {my friends|colleagues|everybody} about you',
  '{Would|I would} recommend {you|it} to {anyone|anybody}',
  'Keep up the good work',
  '{Thank you|Thanks}',
)
export const late = all(
  'My {delivery|order|parcel} {came|arrived} # late',
  'The parcel arrived # after the promised date',
  '{Delivery|The shipment} was delayed by #',
  'I had to wait # longer for my order',
)
export const outages = all(
  'The {service|app|system} was down {again|when I needed it}',
  'The outage cost {us half a day of work|me a lot of time}',
  'I could not log in because of {an outage|the outage}',
  'Too many outages',
)
export const slow = all(
  'Support took {far too long|forever|days} to answer',
  'I waited {days|ages} for support to solve my {ticket|problem}',
  'Customer service is slow{| and unhelpful}',
  'Nobody got back to me about my ticket for days',
)
export const reopened = all(
  'My problem was not {really solved|fixed} and I had to reopen the ticket',
  'Support closed my ticket without {fixing anything|a solution}',
  'The same {issue|problem} came back after support said it was fixed',
)
export const dearer = all(
  'The price {increase|rise} is not justified',
  'It has become too expensive',
  'You raised the price and nothing got better',
  'Too expensive for what it is{| now}',
)
export const misfit = all(
  'The {app|interface} is {confusing|clumsy|hard to use}',
  'It is missing {features|functions} that {we|I} need',
  'It is too complicated for {our team|me}',
  'The product does not really fit {our|my} needs',
  'The reports are not much use to {me|us}',
)
export const quick = all(
  'Support {solved|fixed} my problem {within hours|in no time|the same day}',
  '{Customer service|Support} was {quick|fast} and {friendly|helpful}',
  '{Fast|Quick} and {helpful|competent} support',
  'My ticket was {fixed|solved} the same day',
)
export const praise = all(
  '{Easy|Simple|A pleasure} to use{| and reliable}',
  'The {app|product} is {simple|intuitive|reliable} and just works',
  'Deliveries are always {on time|quick}',
  'The {app|product} saves {me|us} a lot of time',
  '{Great|Good} value for {the price|money}',
  'Reliable, does exactly what {I|we} need',
)
