# One image for every role: `serve` (the default), `worker`, `migrate`, `sandbox`, `doctor` and the
# other subcommands.
# The image has no PostgreSQL, so the service needs DATABASE_URL and PICSBRIDGE_MASTER_KEY. See
# compose.yaml.

FROM rust:1.95-bookworm AS builder
WORKDIR /build
# The build checks queries against `.sqlx`, so it needs no database.
ENV SQLX_OFFLINE=true

# Build the dependencies with empty sources, in a layer that changes only with the manifests.
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
# The real sources must be newer than the build from empty sources, whatever times the checkout gave
# them.
RUN touch src/lib.rs src/main.rs src/build.rs \
    && cargo build --release --locked --bin picsbridge

FROM debian:bookworm-slim
# ca-certificates verify the certificates of the upstreams.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 picsbridge \
    && useradd --uid 10001 --gid picsbridge --no-create-home --home-dir /var/lib/picsbridge --shell /usr/sbin/nologin picsbridge \
    && install --directory --owner=picsbridge --group=picsbridge --mode=0700 /var/lib/picsbridge
COPY --from=builder /build/target/release/picsbridge /usr/local/bin/picsbridge

# A number shows an orchestrator that the user is not root.
USER 10001:10001
WORKDIR /var/lib/picsbridge
ENV PICSBRIDGE_LISTEN=0.0.0.0:8080 \
    PICSBRIDGE_DATA_DIR=/var/lib/picsbridge
# The API, and the sandbox if the process serves one.
EXPOSE 8080 8090
# After SIGTERM the process finishes its work within 25 s. Give it 30 s.
STOPSIGNAL SIGTERM
# No HEALTHCHECK, because a worker has no port. For `serve`, check /health/live and /health/ready as
# compose.yaml does.
ENTRYPOINT ["/usr/local/bin/picsbridge"]
