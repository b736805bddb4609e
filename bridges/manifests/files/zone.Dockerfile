# A zone to try the bridge on: one static program and nothing else.
#   docker build -f DIR/images/zone.Dockerfile -t metaverse-zone:VERSION DIR/images
FROM gcc:14.2.0-bookworm AS build
WORKDIR /source
COPY zone.c ./
RUN gcc -O2 -Wall -Wextra -Werror -static -pthread -o /zone zone.c

FROM scratch
COPY --from=build /zone /zone
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/zone"]
