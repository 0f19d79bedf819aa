# One image for every role: `serve` (the default), `worker`, `migrate`, `sandbox`, `doctor` and the other subcommands.
# It has no PostgreSQL in it: in a container the service needs DATABASE_URL and PICSBRIDGE_MASTER_KEY. See compose.yaml.

FROM rust:1.95-bookworm AS builder
WORKDIR /build
# Queries are checked against `.sqlx`: the build needs no database.
ENV SQLX_OFFLINE=true

# The dependencies in a layer of their own, which changes only with the manifests: built with empty sources.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && echo 'fn main() {}' | tee src/main.rs > src/build.rs \
    && touch src/lib.rs \
    && cargo build --release --locked --bin picsbridge \
    && rm -r src

COPY .cargo .cargo
COPY .sqlx .sqlx
COPY migrations migrations
COPY openapi openapi
COPY src src
# Newer than what was built from the empty sources, whatever times the checkout gave the files.
RUN touch src/lib.rs src/main.rs src/build.rs \
    && cargo build --release --locked --bin picsbridge

FROM debian:bookworm-slim
# ca-certificates: whom the upstreams' certificates are held against.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 picsbridge \
    && useradd --uid 10001 --gid picsbridge --no-create-home --home-dir /var/lib/picsbridge --shell /usr/sbin/nologin picsbridge \
    && install --directory --owner=picsbridge --group=picsbridge --mode=0700 /var/lib/picsbridge
COPY --from=builder /build/target/release/picsbridge /usr/local/bin/picsbridge

# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/picsbridge
ENV PICSBRIDGE_LISTEN=0.0.0.0:8080 \
    PICSBRIDGE_DATA_DIR=/var/lib/picsbridge
# The API; the sandbox, where one is served.
EXPOSE 8080 8090
# Then it ends what is under way, within 25 s: give it 30.
STOPSIGNAL SIGTERM
# No HEALTHCHECK: a worker listens on nothing. For `serve` ask /health/live and /health/ready, as compose.yaml does.
ENTRYPOINT ["/usr/local/bin/picsbridge"]
