// Asks the worker for pictures, one at a time: of what was asked for meanwhile only the newest is painted.

export class Pictures {
  #worker;
  #look = 0;
  #since = 0; // this look on, pictures are of the network that is shown
  #busy = false;
  #next = null;
  #asked = "";
  #sent = 0;
  took = 0; // ms, the last one

  constructor(address, { arrived, failed }) {
    this.#worker = new Worker(address, { type: "module" });
    this.#worker.onmessage = ({ data }) => {
      this.#busy = false;
      this.took = performance.now() - this.#sent;
      if (data.look >= this.#since) arrived(data);
      else data.image.close();
      this.#send();
    };
    this.#worker.onerror = failed;
  }

  // Of a network everything but the names.
  network({ lanes, start, x, y, rightX, rightY, box, signals }) {
    this.#next = null;
    this.#since = this.#look + 1;
    this.#worker.postMessage({ network: { lanes, start, x, y, rightX, rightY, box, signals } });
  }

  look(look) {
    this.#look++;
    this.#worker.postMessage({ look });
  }

  get busy() {
    return this.#busy;
  }

  ask(picture) {
    const asked = JSON.stringify([picture, this.#look]);
    if (asked === this.#asked) return; // it is on its way
    this.#asked = asked;
    this.#next = picture;
    this.#send();
  }

  #send() {
    if (this.#busy || !this.#next) return;
    this.#busy = true;
    this.#sent = performance.now();
    this.#worker.postMessage({ picture: { ...this.#next, look: this.#look } });
    this.#next = null;
  }
}
