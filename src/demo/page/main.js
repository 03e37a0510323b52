// Wires the page: the choice of channel and protocol, the player, the picture of the endpoints.

import { showEndpoints } from './endpoints.js';
import { createPlayer } from './player.js';

const $ = (id) => document.getElementById(id);
const longestLog = 200;

function say(kind, text) {
  const line = document.createElement('li');
  line.className = kind;
  line.textContent = `${new Date().toLocaleTimeString([], { hour12: false })} ${text}`;
  $('events').prepend(line);
  while ($('events').childElementCount > longestLog) $('events').lastElementChild.remove();
}

function showFacts(facts) {
  $('facts').replaceChildren(
    ...Object.entries(facts).map(([name, value]) => {
      const [entry, term, detail] = ['div', 'dt', 'dd'].map((tag) => document.createElement(tag));
      term.textContent = name;
      detail.textContent = value;
      entry.append(term, detail);
      return entry;
    }),
  );
}

const settings = await (await fetch('settings.json')).json();
const player = createPlayer($('video'), say);
$('channel').append(...settings.channels.map((name) => new Option(name, name)));

function urlOf(protocol, channel) {
  const scheme = protocol === 'ws' ? 'ws' : 'http';
  const host = location.hostname.includes(':') ? `[${location.hostname}]` : location.hostname;
  return `${scheme}://${host}:${settings.dataPort}/live/${channel}.${protocol === 'hls' ? 'm3u8' : 'flv'}`;
}

let protocol = 'stop';
function choose(next) {
  protocol = next;
  const channel = $('channel').value;
  for (const button of document.querySelectorAll('[data-protocol]')) {
    button.setAttribute('aria-pressed', String(button.dataset.protocol === protocol && protocol !== 'stop'));
  }
  $('endpoints-channel').textContent = channel;
  $('url').textContent = protocol === 'stop' ? '' : urlOf(protocol, channel);
  if (protocol === 'stop') player.stop();
  else player.play(protocol, urlOf(protocol, channel));
}

for (const button of document.querySelectorAll('[data-protocol]')) {
  button.addEventListener('click', () => choose(button.dataset.protocol));
}
$('channel').addEventListener('change', () => choose(protocol));

setInterval(() => showFacts(player.facts()), 250);
setInterval(() => showEndpoints($('channel').value), 1000);
void showEndpoints($('channel').value);
choose('hls');
