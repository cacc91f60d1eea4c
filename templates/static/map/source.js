// What the server has, asked for once: the network, figures of all edges, the curve of one.
import { Network } from "./network.js";

const KEPT = 60; // answers

const PER_CENT = "%"; // how a ratio, which has no unit, is written

export class Trouble extends Error {}

const hundredfold = (values) => values?.map((value) => (value == null ? null : 100 * value));
const named = (metric) => (metric.unit ? metric : { ...metric, unit: PER_CENT });

export class Source {
  #answers = new Map();

  constructor({ network, edges, curve }) {
    this.addresses = { network, edges, curve };
  }

  async network(asked = {}) {
    const told = await this.#ask(this.addresses.network, asked);
    try {
      return new Network(told);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      throw new Trouble("This network cannot be drawn.");
    }
  }

  async edges(asked) {
    const told = await this.#ask(this.addresses.edges, asked);
    const shown = { ...named(told), metrics: told.metrics.map(named) };
    return told.unit ? shown : { ...shown, values: hundredfold(told.values), base: hundredfold(told.base) };
  }

  async curve(asked) {
    const told = await this.#ask(this.addresses.curve, asked);
    const { speed_ratio: ratio } = told.series;
    return ratio ? { ...told, series: { ...told.series, speed_ratio: hundredfold(ratio) } } : told;
  }

  async #ask(address, asked) {
    const url = new URL(address, location.href);
    for (const [name, value] of Object.entries(asked)) if (value !== null && value !== "") url.searchParams.set(name, value);
    const known = this.#answers.get(url.href);
    if (known) return known;
    const answer = this.#fetch(url);
    this.#answers.set(url.href, answer);
    if (this.#answers.size > KEPT) this.#answers.delete(this.#answers.keys().next().value);
    answer.catch(() => this.#answers.delete(url.href));
    return answer;
  }

  async #fetch(url) {
    let answer;
    try {
      answer = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    } catch {
      throw new Trouble("The server does not answer.");
    }
    if (!(answer.headers.get("Content-Type") || "").startsWith("application/json")) throw new Trouble(answer.ok ? "Signed out: reload the page." : `The server answered ${answer.status}; reload the page.`);
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Trouble(told.error?.message || "The server refused.");
    return told;
  }
}
